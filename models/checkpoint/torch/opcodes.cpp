#include "models/checkpoint/torch/opcodes.h"

#include <algorithm>
#include <array>

namespace lamina::models::torch {
namespace {

struct Opcode {
  std::uint8_t code;
  std::string_view name;
};

// Those that are never run, whatever a file says.
constexpr auto kRefused = std::to_array<Opcode>({
    {'0', "POP"},
    {'1', "POP_MARK"},
    {'2', "DUP"},
    {'F', "FLOAT"},
    {'I', "INT"},
    {'L', "LONG"},
    {'P', "PERSID"},
    {'S', "STRING"},
    {'V', "UNICODE"},
    {'d', "DICT"},
    {'g', "GET"},
    {'i', "INST"},
    {'l', "LIST"},
    {'o', "OBJ"},
    {'p', "PUT"},
    {0x82, "EXT1"},
    {0x83, "EXT2"},
    {0x84, "EXT4"},
    {0x91, "FROZENSET"},
    {0x92, "NEWOBJ_EX"},
    {0x96, "BYTEARRAY8"},
    {0x97, "NEXT_BUFFER"},
    {0x98, "READONLY_BUFFER"},
});

}  // namespace

std::string_view opcode_name(std::uint8_t opcode) {
  const auto* found = std::ranges::find(kRefused, opcode, &Opcode::code);
  return found == kRefused.end() ? "no opcode" : found->name;
}

}  // namespace lamina::models::torch
