#pragma once

#include <gtest/gtest.h>
#include <string>

#include "core/error.h"

namespace lamina::test {

/// Expects `action` to throw an Error whose whole message is `message`.
template <class Action>
void expect_error(const Action& action, const std::string& message) {
  try {
    action();
    ADD_FAILURE() << "expected an Error: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), message);
  }
}

}  // namespace lamina::test
