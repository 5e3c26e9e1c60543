#include "nn/state.h"

#include <gtest/gtest.h>

#include "nn/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

TEST(State, HoldsParametersAndBuffers) {
  nn::BatchNorm2d norm(3);
  const nn::StateDict state = nn::state_dict(norm);
  ASSERT_EQ(state.size(), 4u);
  EXPECT_TRUE(state.at("running_var").shares_memory_with(norm.running_variance));
}

TEST(State, LoadCopiesValues) {
  nn::Linear from(3, 2);
  nn::Linear to(3, 2);
  from.weight = test::random_tensor({2, 3}, 1);
  nn::load_state(to, nn::state_dict(from));
  EXPECT_TRUE(test::same_bits(to.weight, from.weight));
  EXPECT_FALSE(to.weight.shares_memory_with(from.weight));
}

TEST(State, LoadListsEveryDifferenceAndChangesNothing) {
  nn::Sequential net;
  auto& first = net.emplace<nn::Linear>(3u, 2u);
  net.emplace<nn::BatchNorm2d>(2u);
  const Tensor ones = Tensor::full({2}, 1.0f);
  const nn::StateDict state = {{"0.weight", Tensor::full({2, 3}, 7.0f)},
                               {"0.bias", Tensor::zeros({3})},
                               {"1.weight", ones},
                               {"1.running_mean", Tensor::zeros({2, 1})},
                               {"2.weight", ones},
                               {"2.bias", ones}};
  test::expect_error([&] { nn::load_state(net, state); },
                     "load_state: names and shapes must match one to one: missing 1.bias, "
                     "1.running_var; extra 2.bias, 2.weight; misshapen 0.bias is [3] for [2], "
                     "1.running_mean is [2, 1] for [2]");
  EXPECT_EQ(first.weight.data()[0], 0.0f);
}

TEST(State, OneKindOfDifferenceIsListedAlone) {
  nn::Linear layer(3, 2);
  nn::StateDict state = nn::state_dict(layer);
  state.erase("bias");
  EXPECT_EQ(nn::state_mismatch(layer, state), "missing bias");
  state = nn::state_dict(layer);
  EXPECT_EQ(nn::state_mismatch(layer, state), "");
  state.emplace("more", Tensor());
  EXPECT_EQ(nn::state_mismatch(layer, state), "extra more");
}

}  // namespace
}  // namespace lamina
