#pragma once

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

namespace lamina::test {

/// The folder of reference weights, photos and results, beside the source tree.
inline std::filesystem::path shared_data() {
  const char* folder = std::getenv("LAMINA_SHARED_DATA");
  return folder != nullptr
             ? std::filesystem::path(folder)
             : std::filesystem::path(LAMINA_SOURCE_ROOT).parent_path() / "shared/data";
}

/// True where missing reference data is a failure, not a reason to skip.
inline bool require_shared_data() {
  const char* value = std::getenv("LAMINA_REQUIRE_SHARED");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace lamina::test

/// First line of a test that reads reference data: skips it, saying so, where there is none.
#define LAMINA_NEEDS_SHARED_DATA()                                                            \
  do {                                                                                        \
    if (!std::filesystem::is_directory(lamina::test::shared_data())) {                        \
      if (lamina::test::require_shared_data()) {                                              \
        FAIL() << "LAMINA_REQUIRE_SHARED=1, but there is no " << lamina::test::shared_data(); \
      }                                                                                       \
      GTEST_SKIP() << "no reference data in " << lamina::test::shared_data();                 \
    }                                                                                         \
  } while (false)
