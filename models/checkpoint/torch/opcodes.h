#pragma once

#include <cstdint>
#include <string_view>

namespace lamina::models::torch {

/// Python's name of a pickle opcode, for messages; "no opcode" where there is none.
std::string_view opcode_name(std::uint8_t opcode);

}  // namespace lamina::models::torch
