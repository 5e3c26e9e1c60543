#pragma once

#include <filesystem>

namespace lamina::fuzz {

/// Writes whole small files of each kind by our own and Debian's writers, in a folder for each
/// fuzzer: what fuzzing begins with.
void write_seeds(const std::filesystem::path& folder);

}  // namespace lamina::fuzz
