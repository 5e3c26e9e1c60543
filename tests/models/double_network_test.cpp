#include "tests/models/double_network.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "models/load.h"
#include "tests/models/training_reference.h"
#include "tests/support/shared_data.h"

// The network in doubles, which others are measured by, against PyTorch in float64.
namespace lamina {
namespace {

using test::Values;

Values parameters_of(const test::DoubleNetwork& net) {
  Values values;
  for (const auto& [name, array] : net.tensors()) {
    values[name] = array->values;
  }
  return values;
}

void expect_values(const Values& got, const Values& want, double tolerance) {
  for (const auto& [name, values] : want) {
    const test::Distance d = test::distance(got.at(name), values);
    EXPECT_LE(d.largest, tolerance * std::max(1.0, d.want_largest)) << name;
  }
}

// Five steps in a row carry rounding on a thousandfold: in doubles only.
class FreeSteps : public testing::TestWithParam<test::FirstStepCase> {};

TEST_P(FreeSteps, InDoublesArePyTorchs) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto [tensors, metadata] = models::read_checkpoint(test::path_of(GetParam().want));
  models::MobileNetV2 net({.classes = 10, .width = 0.35f});
  models::load(net, test::path_of(GetParam().state));
  test::DoubleNetwork exact(net);
  const test::Batch batch = test::read_batch();
  for (std::size_t k = 0; k < 5; ++k) {
    const double loss =
        exact.step(batch.images, batch.labels, std::stod(metadata.at("label_smoothing")));
    EXPECT_NEAR(loss, double{tensors.at("losses").data()[k]}, 1e-4) << "step " << k;
    exact.descend(std::stod(metadata.at("lr")), std::stod(metadata.at("momentum")), 4e-5);
    if (k == 0) {
      expect_values(parameters_of(exact), test::doubles_of(test::with_prefix(tensors, "after1/")),
                    1e-6);
    }
  }
  expect_values(parameters_of(exact), test::doubles_of(test::with_prefix(tensors, "after5/")),
                1e-4);
  expect_values(exact.momenta(), test::doubles_of(test::with_prefix(tensors, "momentum5/")), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(, FreeSteps, testing::ValuesIn(test::kFirstStepCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace lamina
