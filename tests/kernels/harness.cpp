#include "tests/kernels/harness.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <set>
#include <utility>

namespace lamina::test {
namespace {

constexpr std::uint32_t kCanary = 0x7FC0BEEF;
constexpr std::size_t kGuard = 64;  // floats before and after

class Case : public testing::Test {
 public:
  explicit Case(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

template <class Equal>
void expect_equal(const Array& got, const Array& want, const Equal& equal) {
  ASSERT_EQ(got.rows(), want.rows());
  ASSERT_EQ(got.cols(), want.cols());
  got.expect_canaries();
  for (std::size_t i = 0; i < want.rows(); ++i) {
    for (std::size_t j = 0; j < want.cols(); ++j) {
      ASSERT_TRUE(equal(got.at(i, j), want.at(i, j)))
          << "at [" << i << ", " << j << "]: got " << got.at(i, j) << ", want " << want.at(i, j);
    }
  }
}

}  // namespace

std::vector<const KernelTable*> tables_under_test() {
  if (const char* isa = std::getenv("LAMINA_ISA")) {
    const KernelTable* forced = kernels::find_kernels(isa);
    return forced == nullptr ? std::vector<const KernelTable*>{} : std::vector{forced};
  }
  const auto all = kernels::available_kernels();
  return {all.begin(), all.end()};
}

void add_case(const std::string& suite, const KernelTable& table, const std::string& name,
              std::function<void()> body) {
  static std::set<std::string> registered;
  const std::string test = join(table.isa, "/", name);
  if (registered.insert(join(suite, ".", test)).second) {
    testing::RegisterTest(suite.c_str(), test.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [body]() -> testing::Test* { return new Case(body); });
  }
}

float Random::uniform(float scale) {
  const float unit = static_cast<float>(engine_() >> 8) / 8388608.0f;  // [0, 2)
  return (unit - 1.0f) * scale;
}

Array::Array(const Layout& layout)
    : layout_(layout),
      storage_(layout.rows * (layout.cols + layout.gap) + layout.offset + 2 * kGuard + 16,
               std::bit_cast<float>(kCanary)) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  const std::size_t to_boundary = (64 - address % 64) % 64 / sizeof(float);
  first_ = storage_.data() + to_boundary + kGuard + layout.offset;
}

Array::Array(const Layout& layout, Random& random, float scale) : Array(layout) {
  for (std::size_t i = 0; i < rows(); ++i) {
    for (std::size_t j = 0; j < cols(); ++j) {
      at(i, j) = random.uniform(scale);
    }
  }
}

void Array::copy_from(const Array& other) {
  for (std::size_t i = 0; i < rows(); ++i) {
    for (std::size_t j = 0; j < cols(); ++j) {
      at(i, j) = other.at(i, j);
    }
  }
}

double Array::max_abs() const {
  double most = 0.0;
  for (std::size_t i = 0; i < rows(); ++i) {
    for (std::size_t j = 0; j < cols(); ++j) {
      most = std::max(most, std::fabs(double{at(i, j)}));
    }
  }
  return most;
}

void Array::expect_canaries() const {
  const std::size_t begin = static_cast<std::size_t>(first_ - storage_.data());
  for (std::size_t i = 0; i < storage_.size(); ++i) {
    const bool inside = i >= begin && i < begin + rows() * ld() && (i - begin) % ld() < cols();
    if (!inside) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(storage_[i]), kCanary)
          << "written outside of the output, " << static_cast<std::ptrdiff_t>(i - begin)
          << " floats from its start (rows " << ld() << " apart)";
    }
  }
}

void expect_near(const Array& got, const Array& want, double tolerance) {
  expect_equal(got, want, [&](float a, float b) {
    const bool both_nan = std::isnan(a) && std::isnan(b);
    return both_nan || a == b || std::fabs(double{a} - double{b}) <= tolerance;
  });
}

void expect_same_bits(const Array& got, const Array& want) {
  expect_equal(got, want, [](float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  });
}

}  // namespace lamina::test
