#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/dispatch.h"

/// What every kernel test needs: the tables to test, cases named by their shape, arrays that notice
/// a write or a read beyond their end, and comparison with a bound on rounding.
namespace lamina::test {

using kernels::KernelTable;

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

/// All available tables, or the one that the environment's LAMINA_ISA names: none if it is unknown.
std::vector<const KernelTable*> tables_under_test();

/// One string of texts and numbers: join("m", 3, "n", 5).
template <class... Parts>
std::string join(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// The end of a case's name: "_offset3", or nothing for 0.
inline std::string suffix(const char* key, std::size_t value) {
  return value == 0 ? "" : join(key, value);
}

/// Registers "suite.isa/name", unless there is one of that name already.
void add_case(const std::string& suite, const KernelTable& table, const std::string& name,
              std::function<void()> body);

/// Registers two: "name" with arrays amid canaries, and "name_page" with arrays that end where
/// memory ends, so that a read beyond them crashes.
void add_case_in_both_places(const std::string& suite, const KernelTable& table,
                             const std::string& name, const std::function<void()>& body);

/// The bounds that a kernel may fuse: none, or ReLU6's.
struct Bounds {
  float lo = -kInfinity;
  float hi = kInfinity;
};
inline constexpr Bounds kRelu6{0.0f, 6.0f};

/// The same numbers on every platform: in [-scale, scale).
class Random {
 public:
  explicit Random(std::uint32_t seed = 1801) : engine_(seed) {}
  float uniform(float scale);

 private:
  std::mt19937 engine_;
};

/// rows x cols floats, rows `gap` floats further apart than cols, the first one `offset` floats
/// after a 64-byte boundary. All around and in the gaps lie canaries: NaNs of a known pattern.
/// In a "_page" case the last float is the last one before an unreadable page instead, wherever
/// that puts the first, unless the kernel asks for an aligned one.
class Array {
 public:
  enum class Start { anywhere, aligned };
  struct Layout {
    std::size_t rows = 1, cols = 0, gap = 0, offset = 0;
    Start start = Start::anywhere;
  };
  explicit Array(const Layout& layout);
  /// One filled with random numbers in [-scale, scale).
  Array(const Layout& layout, Random& random, float scale = 1.0f);
  Array(Array&&) = default;

  float* data() { return first_; }
  const float* data() const { return first_; }
  std::size_t rows() const { return layout_.rows; }
  std::size_t cols() const { return layout_.cols; }
  std::size_t ld() const { return layout_.cols + layout_.gap; }
  float& at(std::size_t i, std::size_t j) { return first_[i * ld() + j]; }
  float at(std::size_t i, std::size_t j) const { return first_[i * ld() + j]; }

  /// The same values; the layout may have another gap and offset.
  void copy_from(const Array& other);
  double max_abs() const;
  void expect_canaries() const;

 private:
  Layout layout_;
  std::size_t size_;                  // with the canaries
  std::shared_ptr<float[]> storage_;  // never shared: its deleter varies
  float* first_;
};

/// Expects |got - want| <= tolerance everywhere, a NaN where there is a NaN, the same infinities,
/// and got's canaries. Reports the first difference.
void expect_near(const Array& got, const Array& want, double tolerance);

/// Expects the same bits, and got's canaries.
void expect_same_bits(const Array& got, const Array& want);

}  // namespace lamina::test
