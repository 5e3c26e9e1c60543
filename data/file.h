#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace lamina::data {

/// The bytes of a file, which may be a pipe. Throws Error in the name of `op` when it cannot be
/// read or has more than `max_bytes`.
std::vector<std::uint8_t> read_file(std::string_view op, const std::filesystem::path& path,
                                    std::size_t max_bytes);

}  // namespace lamina::data
