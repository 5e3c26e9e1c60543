#include "tests/kernels/harness.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <set>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace lamina::test {
namespace {

constexpr std::uint32_t kCanary = 0x7FC0BEEF;
constexpr std::size_t kGuard = 64;  // floats before and after

enum class Place { amid_canaries, before_a_page };
Place place = Place::amid_canaries;  // of the arrays of the case that runs

class Case : public testing::Test {
 public:
  Case(std::function<void()> body, Place arrays) : body_(std::move(body)), arrays_(arrays) {}
  void TestBody() override {
    place = arrays_;
    body_();
  }

 private:
  std::function<void()> body_;
  Place arrays_;
};

void add(const std::string& suite, const std::string& test, std::function<void()> body,
         Place arrays) {
  static std::set<std::string> registered;
  if (registered.insert(join(suite, ".", test)).second) {
    testing::RegisterTest(suite.c_str(), test.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [body, arrays]() -> testing::Test* { return new Case(body, arrays); });
  }
}

// QEMU's AVX2 (7.2) reads all lanes of a masked load; a CPU reads none that the mask leaves out.
bool reads_beyond_masks(const KernelTable& table) {
#if defined(__x86_64__)
  unsigned highest = 0, name[3] = {};
  __cpuid(0x40000000, highest, name[0], name[1], name[2]);
  return std::string_view(table.isa) == "avx2" && std::memcmp(name, "TCGTCGTCGTCG", 12) == 0;
#else
  static_cast<void>(table);
  return false;
#endif
}

// `size` floats that end at an unreadable page.
std::shared_ptr<float[]> before_a_page(std::size_t size) {
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t bytes = (size * sizeof(float) + page - 1) / page * page;
  void* const memory =
      mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(static_cast<char*>(memory) + bytes, page, PROT_NONE) != 0) {
    throw std::bad_alloc();
  }
  float* const end = reinterpret_cast<float*>(static_cast<char*>(memory) + bytes);
  return {end - size, [=](float*) { munmap(memory, bytes + page); }};
}

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
  add(suite, join(table.isa, "/", name), std::move(body), Place::amid_canaries);
}

void add_case_in_both_places(const std::string& suite, const KernelTable& table,
                             const std::string& name, const std::function<void()>& body) {
  add(suite, join(table.isa, "/", name), body, Place::amid_canaries);
  if (!reads_beyond_masks(table)) {
    add(suite, join(table.isa, "/", name, "_page"), body, Place::before_a_page);
  }
}

float Random::uniform(float scale) {
  const float unit = static_cast<float>(engine_() >> 8) / 8388608.0f;  // [0, 2)
  return (unit - 1.0f) * scale;
}

Array::Array(const Layout& layout) : layout_(layout) {
  const std::size_t floats = rows() * ld();
  if (place == Place::before_a_page && layout.start == Start::anywhere) {
    const std::size_t used = rows() == 0 ? 0 : floats - layout.gap;
    size_ = kGuard + used;
    storage_ = before_a_page(size_);
    first_ = storage_.get() + kGuard;
  } else {
    size_ = 2 * kGuard + floats + layout.offset + 16;
    storage_.reset(new float[size_]);
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.get());
    first_ = storage_.get() + (64 - address % 64) % 64 / sizeof(float) + kGuard + layout.offset;
  }
  std::fill_n(storage_.get(), size_, std::bit_cast<float>(kCanary));
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
  const float* const memory = storage_.get();
  const auto begin = static_cast<std::size_t>(first_ - memory);
  for (std::size_t i = 0; i < size_; ++i) {
    const bool inside = i >= begin && i < begin + rows() * ld() && (i - begin) % ld() < cols();
    if (!inside) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(memory[i]), kCanary)
          << "written outside of the output, " << memory + i - first_
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
