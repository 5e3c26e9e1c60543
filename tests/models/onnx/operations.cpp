#include <gtest/gtest.h>

#include "models/checkpoint/onnx.h"
#include "nn/plan.h"
#include "tests/models/onnx/cases.h"
#include "tests/support/tensors.h"

// Each operation alone, compiled for every instruction set, against our operations called one by
// one with the reference kernels.
namespace lamina {
namespace {

class OnnxOperation : public testing::TestWithParam<test::OnnxCase> {};

TEST_P(OnnxOperation, GivesWhatItStandsFor) {
  const test::OnnxCase& one = GetParam();
  const models::GraphFile file = models::parse_onnx(one.model.bytes(), one.name);
  const Tensor x = test::random_tensor(one.input, 7);
  const Tensor want = [&] {
    const test::ScopedIsa reference("reference");
    return one.want(x);
  }();
  const Tensor got = nn::compile(file.graph)(x);
  EXPECT_EQ(got.shape(), want.shape());
  test::expect_near(got, test::doubles(want), one.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Cases, OnnxOperation, testing::ValuesIn(test::all_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace lamina
