#include <array>
#include <cstdint>

#include "models/checkpoint/header_rules.h"

namespace lamina::models {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

struct Letter {
  std::uint32_t code;
  std::size_t bytes;
  bool good;
};

// The letter that begins there: of a malformed one the first byte alone.
Letter letter_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) {
    return {first, 1, true};
  }
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (first < 0xc0 || first > 0xf7 || text.size() - at < bytes) {
    return {kReplacement, 1, false};
  }
  std::uint32_t code = first & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return {kReplacement, 1, false};
    }
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kLeast[bytes] || code > 0x10ffff || surrogate) {
    return {kReplacement, 1, false};
  }
  return {code, bytes, true};
}

void append_escaped(std::uint32_t unit, std::string& quoted) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  quoted += "\\u";
  for (unsigned shift = 16; shift > 0;) {
    shift -= 4;
    quoted += kDigits[unit >> shift & 15];
  }
}

void append(std::uint32_t code, std::string& quoted) {
  constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
  constexpr std::string_view kLetters = "btnfr\"\\";
  if (const std::size_t at = code < 128 ? kShort.find(static_cast<char>(code)) : kShort.npos;
      at != kShort.npos) {
    quoted += '\\';
    quoted += kLetters[at];
  } else if (code >= 0x20 && code < 0x7f) {
    quoted += static_cast<char>(code);
  } else if (code < 0x10000) {
    append_escaped(code, quoted);
  } else {
    append_escaped(0xd800 + ((code - 0x10000) >> 10), quoted);
    append_escaped(0xdc00 + ((code - 0x10000) & 0x3ff), quoted);
  }
}

}  // namespace

std::string in_quotes(std::string_view name) {
  std::string quoted = "\"";
  for (std::size_t at = 0; at < name.size();) {
    const Letter letter = letter_at(name, at);
    append(letter.code, quoted);
    at += letter.bytes;
  }
  return quoted + '"';
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    if (!letter.good) {
      return false;
    }
    at += letter.bytes;
  }
  return true;
}

}  // namespace lamina::models
