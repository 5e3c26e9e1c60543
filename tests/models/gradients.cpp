#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "core/error.h"
#include "models/load.h"
#include "nn/isa.h"
#include "nn/loss.h"
#include "nn/state.h"
#include "tests/models/double_network.h"
#include "tests/models/training_reference.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// Steps of training against PyTorch in float64: width 0.35, ten classes, four pictures of 64 x 64.
namespace lamina {
namespace {

using test::Batch;
using test::distance;
using test::Distance;
using test::Tensors;
using test::Values;

/// A way to train, which must give what PyTorch does.
struct Way {
  const char* name;
  std::function<void(models::MobileNetV2&)> prepare;
};
Way way_of(const char* name, nn::TrainingOps ops) {
  return {name, [ops](models::MobileNetV2& net) { net.set_training_ops(ops); }};
}
const Way kWays[] = {way_of("Separate", nn::TrainingOps::separate),
                     way_of("Fused", nn::TrainingOps::fused),
                     way_of("FusedRecomputing", nn::TrainingOps::fused_recomputing)};

/// What a step of training gives; convolution weights [O, KH, KW, I], pictures [N, H, W, C].
struct Step {
  double loss = 0.0;
  std::vector<double> logits, input;  // the input's gradient
  Values gradients;                   // by the parameter's name
  Values statistics;                  // the running ones afterwards
};

Step train_step(models::MobileNetV2& net, const Batch& batch, double label_smoothing) {
  net.train();
  Tensor images = batch.images;
  images.track();
  const Tensor logits = net(images);
  const Tensor loss = nn::cross_entropy(logits, batch.labels, {.label_smoothing = label_smoothing});
  loss.backward();
  Step step{.loss = double{*loss.data()},
            .logits = test::doubles(logits),
            .input = test::doubles(images.grad()),
            .gradients = {},
            .statistics = {}};
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    if (tensor.kind == nn::TensorKind::parameter) {
      step.gradients[tensor.name] = test::doubles(tensor.value->grad());
    } else {
      step.statistics[tensor.name] = test::doubles(*tensor.value);
    }
  }
  return step;
}

Step train_step(test::DoubleNetwork& net, const Batch& batch, double label_smoothing) {
  Step step{.loss = net.step(batch.images, batch.labels, label_smoothing),
            .logits = net.logits().values,
            .input = net.input().gradient,
            .gradients = {},
            .statistics = {}};
  for (const auto& [name, array] : net.tensors()) {
    if (name.find(".running_") == std::string::npos) {
      step.gradients[name] = array->gradient;
    } else {
      step.statistics[name] = array->values;
    }
  }
  return step;
}

void expect_gradients(const Values& got, const Values& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  Distance all;
  std::size_t zeros = 0;
  for (const auto& [name, gradient] : want) {
    SCOPED_TRACE(name);
    const Distance d = distance(got.at(name), gradient);
    // What a linear bottleneck's norm adds, the next norm takes away again.
    if (name.ends_with(".bias") && d.want_largest < 1e-9) {
      EXPECT_LE(d.largest, 1e-4);
      ++zeros;
    } else {
      EXPECT_LE(d.largest, 20 * tolerance * d.want_largest);
    }
    all.squares += d.squares;
    all.want_squares += d.want_squares;
  }
  EXPECT_EQ(zeros, 17u);
  EXPECT_LE(all.relative(), tolerance);
}

// A mean is measured by the deviation of what it is the mean of.
void expect_statistics(const Values& got, const Values& want, double tolerance) {
  ASSERT_EQ(got.size(), 104u);
  for (const auto& [name, values] : got) {
    SCOPED_TRACE(name);
    const Distance d = distance(values, want.at(name));
    double scale = d.want_largest;
    if (const std::size_t dot = name.rfind("running_mean"); dot != std::string::npos) {
      const auto& variances = want.at(name.substr(0, dot) + "running_var");
      scale = std::max(scale, std::sqrt(*std::ranges::max_element(variances)));
    }
    EXPECT_LE(d.largest, tolerance * scale);
  }
}

// `tolerance` is that of all gradients together.
void expect_step(const Step& got, const Step& want, double tolerance) {
  EXPECT_NEAR(got.loss, want.loss, tolerance * std::abs(want.loss));
  EXPECT_LE(distance(got.logits, want.logits).relative(), tolerance);
  EXPECT_LE(distance(got.input, want.input).relative(), tolerance);
  expect_gradients(got.gradients, want.gradients, tolerance);
  expect_statistics(got.statistics, want.statistics, tolerance / 10);
}

std::unique_ptr<models::MobileNetV2> make_net(const Way& way) {
  auto net = std::make_unique<models::MobileNetV2>(
      models::MobileNetV2Options{.classes = 10, .width = 0.35f, .dropout = 0.0f});
  way.prepare(*net);
  return net;
}

using MakeNet = std::function<std::unique_ptr<models::MobileNetV2>()>;
using Places = std::set<test::DoubleNetwork::Place>;

double gradient_distance(const Step& got, const Step& want) {
  Distance all;
  for (const auto& [name, gradient] : want.gradients) {
    const Distance d = distance(got.gradients.at(name), gradient);
    all.squares += d.squares;
    all.want_squares += d.want_squares;
  }
  return all.relative();
}

// Before an activation float32 is off by 1e-6 to 2e-5, and a few dozen of half a million values are
// closer than that to a bound of ReLU6: one on the other side changes all gradients by a thousandth
// or more. Both sides' gradients are the function's, so those of doubles that are nearest to `got`
// are taken, with at most this many of these values on the other side.
constexpr std::size_t kMostCrossed = 4;
constexpr double kNearBound = 2e-5;

/// A step of the network in doubles, and where it was close to a bound of ReLU6.
struct ExactStep {
  Step step;
  std::multimap<double, test::DoubleNetwork::Place> near_bounds;
};

/// A state to step from, with a name that no other has.
struct Start {
  std::string name;
  MakeNet make;
  double smoothing = 0.0;
};

// Every instruction set and way to train has the same ones, so each is computed once.
const ExactStep& exact_step(const Start& start, const Batch& batch, const Places& crossed) {
  static std::map<std::pair<std::string, Places>, ExactStep> known;
  const auto [found, is_new] = known.try_emplace({start.name, crossed});
  if (is_new) {
    const auto net = start.make();
    test::DoubleNetwork exact(*net);
    exact.cross(crossed);
    found->second = {train_step(exact, batch, start.smoothing), exact.near_bounds()};
  }
  return found->second;
}

Step nearest_step(const Start& start, const Batch& batch, const Step& got) {
  Places crossed;
  const auto& [uncrossed, candidates] = exact_step(start, batch, crossed);
  const Step* nearest = &uncrossed;
  double off = gradient_distance(got, uncrossed);
  for (const auto& [distance, place] : candidates) {
    if (off <= 1e-4 || crossed.size() == kMostCrossed || distance > kNearBound) {
      break;
    }
    Places more = crossed;
    more.insert(place);
    const Step& other = exact_step(start, batch, more).step;
    if (const double other_off = gradient_distance(got, other); other_off < 0.9 * off) {
      nearest = &other;
      off = other_off;
      crossed = more;
    }
  }
  testing::Test::RecordProperty("crossed", static_cast<int>(crossed.size()));
  return *nearest;
}

// A step from there against the same in doubles, which has to be `want`.
void expect_steps(const Start& start, const Batch& batch, const Step& want) {
  expect_step(exact_step(start, batch, {}).step, want, 1e-6);
  const auto net = start.make();
  const Step got = train_step(*net, batch, start.smoothing);
  expect_step(got, nearest_step(start, batch, got), 1e-4);
}

template <class... Also>
class Training : public testing::TestWithParam<std::tuple<std::string, Way, Also...>> {
 protected:
  Training() : isa_(std::get<0>(this->GetParam())) {}

  std::unique_ptr<models::MobileNetV2> net() const {
    return make_net(std::get<1>(this->GetParam()));
  }

 private:
  test::ScopedIsa isa_;
};

class FirstStep : public Training<test::FirstStepCase> {
 protected:
  void SetUp() override {
    LAMINA_NEEDS_SHARED_DATA();
    batch_ = test::read_batch();
    const test::FirstStepCase& c = std::get<2>(GetParam());
    models::Checkpoint file = models::read_checkpoint(test::path_of(c.want));
    smoothing_ = std::stod(file.metadata.at("label_smoothing"));
    const Tensors& tensors = file.tensors;
    evaluated_ = tensors.at("logits_eval_initial");
    want_ = {.loss = double{*tensors.at("loss").data()},
             .logits = test::doubles(tensors.at("logits")),
             .input = test::doubles(test::channels_last(tensors.at("grad_input"))),
             .gradients = test::doubles_of(test::with_prefix(tensors, "grad/")),
             .statistics = test::doubles_of(test::with_prefix(tensors, "after1/"))};
  }

  std::unique_ptr<models::MobileNetV2> loaded() const {
    auto net = this->net();
    models::load(*net, test::path_of(std::get<2>(GetParam()).state));
    return net;
  }

  Step run() const { return train_step(*loaded(), batch_, smoothing_); }

  Batch batch_;
  double smoothing_ = 0.0;
  Tensor evaluated_;
  Step want_;
};

TEST_P(FirstStep, IsPyTorchs) {
  expect_steps({std::get<2>(GetParam()).name, [this] { return loaded(); }, smoothing_}, batch_,
               want_);
}

TEST_P(FirstStep, HasTheSameBitsForAnyNumberOfThreads) {
  const test::ScopedThreads one(1);
  const Step want = run();
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    SCOPED_TRACE(text(threads, " threads"));
    const test::ScopedThreads many(threads);
    const Step got = run();
    EXPECT_EQ(got.loss, want.loss);
    EXPECT_EQ(got.logits, want.logits);
    EXPECT_EQ(got.input, want.input);
    EXPECT_EQ(got.gradients, want.gradients);
    EXPECT_EQ(got.statistics, want.statistics);
  }
}

TEST_P(FirstStep, EvaluatesAsBefore) {
  const auto net = loaded();
  net->train();
  net->eval();
  test::expect_near((*net)(batch_.images), test::doubles(evaluated_), 1e-4);
}

// Every step from a state that both begin with, so that no rounding is carried on.
class TeacherSteps : public Training<> {};

TEST_P(TeacherSteps, ArePyTorchs) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto file = models::read_checkpoint(test::path_of("train_mnv2_035_teacher.safetensors"));
  const double smoothing = std::stod(file.metadata.at("label_smoothing"));
  const Tensors& tensors = file.tensors;
  const Batch batch = test::read_batch();
  for (int k = 0; k < 5; ++k) {
    SCOPED_TRACE(text("step ", k));
    const auto make = [&] {
      auto net = this->net();
      nn::load_state(*net, test::with_prefix(tensors, text("state", k, '/')));
      return net;
    };
    const auto statistics = test::with_prefix(tensors, text("state", k + 1, '/'));
    expect_steps({text("teacher ", k), make, smoothing}, batch,
                 {.loss = double{*tensors.at(text("loss", k)).data()},
                  .logits = test::doubles(tensors.at(text("logits", k))),
                  .input = test::doubles(test::channels_last(tensors.at(text("grad_input", k)))),
                  .gradients = test::doubles_of(test::with_prefix(tensors, text("grad", k, '/'))),
                  .statistics = test::doubles_of(statistics)});
  }
}

const auto kIsas = testing::ValuesIn(nn::available_isas());

INSTANTIATE_TEST_SUITE_P(, FirstStep,
                         testing::Combine(kIsas, testing::ValuesIn(kWays),
                                          testing::ValuesIn(test::kFirstStepCases)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + std::get<1>(tested.param).name +
                                  std::get<2>(tested.param).name;
                         });
INSTANTIATE_TEST_SUITE_P(, TeacherSteps, testing::Combine(kIsas, testing::ValuesIn(kWays)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + std::get<1>(tested.param).name;
                         });

}  // namespace
}  // namespace lamina
