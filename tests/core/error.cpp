#include "core/error.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <type_traits>

#include "tests/support/expect_error.h"

namespace lamina {
namespace {

struct Unprintable {};

std::ostream& operator<<(std::ostream& out, const Unprintable&) {
  ADD_FAILURE() << "printed although the check held";
  return out;
}

TEST(Error, IsARuntimeError) {
  static_assert(std::is_base_of_v<std::runtime_error, Error>);
  EXPECT_STREQ(Error("conv2d: stride must be positive: got 0").what(),
               "conv2d: stride must be positive: got 0");
}

TEST(Error, TextJoinsItsParts) {
  EXPECT_EQ(text("add: ", 3, ' ', 2.5, " at ", std::string("offset "), -1),
            "add: 3 2.5 at offset -1");
}

TEST(Error, CheckThrowsTheJoinedMessage) {
  test::expect_error([] { check(false, "axis: must be below ", 4, ": got ", 7u); },
                     "axis: must be below 4: got 7");
}

TEST(Error, CheckThatHoldsBuildsNoMessage) { check(true, Unprintable{}); }

}  // namespace
}  // namespace lamina
