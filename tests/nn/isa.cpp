#include "nn/isa.h"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/ops.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

std::string listed() {
  std::string list;
  for (const std::string& name : nn::available_isas()) {
    list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

TEST(Isa, ReferenceIsListedLast) {
  ASSERT_FALSE(nn::available_isas().empty());
  EXPECT_EQ(nn::available_isas().back(), "reference");
}

TEST(Isa, SetIsaTakesEachThatIsAvailable) {
  for (const std::string& name : nn::available_isas()) {
    const test::ScopedIsa scoped(name);
    EXPECT_EQ(nn::isa(), name);
  }
}

TEST(Isa, SetIsaListsWhatIsAvailable) {
  const std::string before = nn::isa();
  test::expect_error([] { nn::set_isa("avx1024"); },
                     "isa: must be one of the instruction sets this CPU can run: got 'avx1024', "
                     "available: " +
                         listed());
  EXPECT_EQ(nn::isa(), before);
}

// In a process of its own: the variable is read once.
[[noreturn]] void print_isa_with(const char* value) {
  setenv("LAMINA_ISA", value, 1);
  std::string printed;
  try {
    nn::relu6(Tensor::zeros({1}));
    printed = nn::isa();
  } catch (const Error& error) {
    printed = error.what();
  }
  std::fputs(printed.c_str(), stderr);
  std::exit(0);
}

class IsaVariable : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(IsaVariable, NamesTheInstructionSet) {
  EXPECT_EXIT(print_isa_with("reference"), testing::ExitedWithCode(0), "^reference$");
}

TEST_F(IsaVariable, EmptyMeansTheFastest) {
  EXPECT_EXIT(print_isa_with(""), testing::ExitedWithCode(0),
              "^" + nn::available_isas().front() + "$");
}

TEST_F(IsaVariable, ListsWhatIsAvailable) {
  EXPECT_EXIT(print_isa_with("foo"), testing::ExitedWithCode(0),
              "^LAMINA_ISA: must be one of the instruction sets this CPU can run: got 'foo', "
              "available: " +
                  listed() + "$");
}

}  // namespace
}  // namespace lamina
