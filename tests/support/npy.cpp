#include "tests/support/npy.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "core/error.h"

namespace lamina::test {
namespace {

double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

template <class Stored, class Convert>
void append(const std::string& bytes, std::size_t offset, std::vector<double>& values,
            const Convert& convert) {
  for (; offset + sizeof(Stored) <= bytes.size(); offset += sizeof(Stored)) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + offset, sizeof stored);
    values.push_back(convert(stored));
  }
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  check(bytes.size() > 10 && bytes.substr(1, 5) == "NUMPY", path, ": is not a .npy file");
  const std::size_t begin = bytes[6] == 1 ? 10 : 12;
  std::size_t length = static_cast<std::uint8_t>(bytes[8]);
  length += static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[9])) << 8;
  const std::string header = bytes.substr(begin, length);
  NpyArray array;
  std::size_t at = header.find('(', header.find("'shape'")) + 1;
  while (header[at] != ')') {
    std::size_t used = 0;
    array.shape.push_back(std::stoul(header.substr(at), &used));
    at = header.find_first_not_of(", ", at + used);
  }
  const auto same = [](auto x) { return static_cast<double>(x); };
  const std::size_t data = begin + length;
  if (header.find("|u1") != std::string::npos) {
    append<std::uint8_t>(bytes, data, array.values, same);
  } else if (header.find("|i1") != std::string::npos) {
    append<std::int8_t>(bytes, data, array.values, same);
  } else if (header.find("<f2") != std::string::npos) {
    append<std::uint16_t>(bytes, data, array.values, half);
  } else if (header.find("<f4") != std::string::npos) {
    append<float>(bytes, data, array.values, same);
  } else if (header.find("<f8") != std::string::npos) {
    append<double>(bytes, data, array.values, same);
  }
  std::size_t expected = 1;
  for (const std::size_t extent : array.shape) {
    expected *= extent;
  }
  check(array.values.size() == expected, path, ": has ", array.values.size(), " values, its shape ",
        expected);
  return array;
}

}  // namespace lamina::test
