#include "core/autograd.h"

#include <gtest/gtest.h>
#include <thread>

#include "tests/support/expect_error.h"

namespace lamina {
namespace {

using test::expect_error;

Tensor scalar(float value) { return Tensor::full({1}, value); }
float number(const Tensor& tensor) { return tensor.data()[0]; }

Tensor multiply(const Tensor& a, const Tensor& b) {
  return record("multiply", scalar(number(a) * number(b)), {&a, &b},
                [a = Saved(a), b = Saved(b)](const Tensor& dy) {
                  return std::vector{scalar(number(dy) * number(b.get())),
                                     scalar(number(dy) * number(a.get()))};
                });
}

Tensor plus(const Tensor& a, const Tensor& b) {
  return record("plus", scalar(number(a) + number(b)), {&a, &b}, [](const Tensor& dy) {
    return std::vector{dy, dy};
  });
}

TEST(Autograd, ChainsAndAddsUp) {
  Tensor x = scalar(3.0f);
  Tensor y = scalar(5.0f);
  x.track();
  y.track();
  // x (x + y) + y = x^2 + x y + y
  plus(multiply(x, plus(x, y)), y).backward();
  EXPECT_EQ(number(x.grad()), 2 * 3.0f + 5.0f);
  EXPECT_EQ(number(y.grad()), 3.0f + 1.0f);
  multiply(x, y).backward();
  EXPECT_EQ(number(x.grad()), 11.0f + 5.0f);
  x.clear_grad();
  EXPECT_TRUE(x.grad().empty());
}

// plus hands one tensor to both inputs: adding to one must not change the other.
TEST(Autograd, KeepsGradientsThatShareMemoryApart) {
  Tensor x = scalar(2.0f);
  Tensor y = scalar(7.0f);
  x.track();
  y.track();
  plus(plus(x, y), multiply(x, x)).backward();
  EXPECT_EQ(number(x.grad()), 1.0f + 4.0f);
  EXPECT_EQ(number(y.grad()), 1.0f);
}

TEST(Autograd, UntrackedInputsRecordNothing) {
  const Tensor x = scalar(3.0f);
  EXPECT_FALSE(multiply(x, x).is_tracked());
  Tensor y = scalar(4.0f);
  y.track();
  EXPECT_TRUE(multiply(x, y).is_tracked());
  const NoGrad no_grad;
  EXPECT_FALSE(multiply(x, y).is_tracked());
  { const NoGrad inner; }
  EXPECT_FALSE(multiply(x, y).is_tracked());
}

TEST(Autograd, NoGradIsThisThreadsAlone) {
  Tensor x = scalar(3.0f);
  x.track();
  const NoGrad no_grad;
  bool is_tracked = false;
  std::thread([&] { is_tracked = multiply(x, x).is_tracked(); }).join();
  EXPECT_TRUE(is_tracked);
}

TEST(Autograd, RefusesToRunTwice) {
  Tensor x = scalar(3.0f);
  x.track();
  const Tensor square = multiply(x, x);
  const Tensor sum = plus(square, x);
  sum.backward();
  expect_error([&] { sum.backward(); },
               "backward: the gradient of plus was already taken: what it saved is freed as it is "
               "used, compute its result [1] again");
  expect_error([&] { multiply(square, x).backward(); },
               "backward: the gradient of multiply was already taken: what it saved is freed as it "
               "is used, compute its result [1] again");
  EXPECT_EQ(number(x.grad()), 7.0f);
}

TEST(Autograd, RefusesValuesChangedInPlace) {
  Tensor x = scalar(3.0f);
  x.track();
  const Tensor square = multiply(x, x);
  x.data()[0] = 4.0f;
  expect_error([&] { square.backward(); },
               "backward: multiply saved a tensor [1] whose values may have been changed in place "
               "since");
}

TEST(Autograd, AFailureLeavesNothingForTheNextPass) {
  Tensor x = scalar(3.0f);
  x.track();
  Tensor w = scalar(2.0f);
  const Tensor a = plus(x, x);
  const Tensor product = multiply(a, w);
  w.data()[0] = 5.0f;
  EXPECT_THROW(plus(product, a).backward(), Error);
  plus(a, a).backward();
  EXPECT_EQ(number(x.grad()), 4.0f);
}

TEST(Autograd, GradientsHaveMemoryOfTheirOwn) {
  Tensor x = scalar(3.0f);
  Tensor y = scalar(4.0f);
  x.track();
  y.track();
  Tensor dy = scalar(1.0f);
  plus(x, y).backward(dy);
  x.grad().data()[0] = 7.0f;
  dy.data()[0] = 9.0f;
  EXPECT_EQ(number(x.grad()), 7.0f);
  EXPECT_EQ(number(y.grad()), 1.0f);
}

TEST(Autograd, ReadingThroughAConstHandleIsNoChange) {
  Tensor x = scalar(3.0f);
  x.track();
  const Tensor square = multiply(x, x);
  const Tensor& reader = x;
  EXPECT_EQ(reader.values()[0], 3.0f);
  EXPECT_EQ(reader.clone().data()[0], 3.0f);
  square.backward();
  EXPECT_EQ(number(x.grad()), 6.0f);
}

TEST(Autograd, ReshapesGradientsBack) {
  Tensor x = Tensor::full({2, 3}, 1.0f);
  x.track();
  const Tensor dy = Tensor::from({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  x.reshape({3, 2}).backward(dy);
  EXPECT_EQ(x.grad().shape(), (Shape{2, 3}));
  EXPECT_EQ(x.grad().data()[5], 6.0f);
}

TEST(Autograd, ExplainsWhatItCannotDo) {
  Tensor pair = Tensor::zeros({2});
  expect_error(
      [&] { scalar(1.0f).backward(); },
      "backward: the tensor must be tracked: [1] was made from no tracked tensor, or under "
      "NoGrad");
  pair.track();
  expect_error([&] { pair.backward(); },
               "backward: without a gradient given the tensor must have one value: [2] has 2");
  expect_error([&] { pair.backward(scalar(1.0f)); },
               "backward: the gradient must have the tensor's shape: [1] for [2]");
  expect_error([&] { pair.set_grad(scalar(1.0f)); },
               "set_grad: a gradient must have its tensor's shape: [1] for [2]");
  Tensor made = pair.reshape({2, 1});
  expect_error([&] { made.track(); },
               "track: a tensor that an operation made is tracked through it: [2, 1]");
}

TEST(Autograd, FreesWhatItSavedAsItGoes) {
  Tensor x = scalar(3.0f);
  x.track();
  const Tensor saved = scalar(2.0f);
  const Tensor y = multiply(x, saved);
  EXPECT_TRUE(saved.is_shared());
  y.backward();
  EXPECT_FALSE(saved.is_shared());
}

// Recursion would need a stack of many megabytes.
TEST(Autograd, LongChainsNeedNoDeepStack) {
  constexpr int kOps = 200000;
  Tensor x = scalar(1.0f);
  x.track();
  {
    Tensor y = x;
    for (int i = 0; i < kOps; ++i) {
      y = multiply(y, x);
    }
    y.backward();
  }
  EXPECT_EQ(number(x.grad()), kOps + 1.0f);
  Tensor dropped = x;
  for (int i = 0; i < kOps; ++i) {
    dropped = multiply(dropped, x);
  }
}

}  // namespace
}  // namespace lamina
