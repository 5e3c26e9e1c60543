#include <cmath>

#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/checks.h"
#include "nn/ops/normalization.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

struct Arguments {
  std::string_view op;
  const Tensor& x;
  const Tensor& gamma;
  const Tensor& beta;
  const Tensor& mean;
  const Tensor& variance;
};

void check_arguments(const Arguments& arguments, float epsilon, Bounds bounds) {
  const auto& [op, x, gamma, beta, mean, variance] = arguments;
  const Shape& shape = x.shape();
  check(shape.rank() >= 1, op, ": input must have an axis of channels: got ", shape);
  const std::size_t channels = shape[shape.rank() - 1];
  check_vector(op, "gamma", gamma, "input", shape, channels);
  check_vector(op, "beta", beta, "input", shape, channels);
  check_vector(op, "mean", mean, "input", shape, channels);
  check_vector(op, "variance", variance, "input", shape, channels);
  check(epsilon >= 0.0f && std::isfinite(epsilon), op,
        ": epsilon must be finite and not negative: got ", epsilon);
  check_bounds(op, bounds);
}

std::vector<double> to_doubles(const Tensor& tensor) {
  return {tensor.data(), tensor.data() + tensor.size()};
}

NormalizationBackward::Wants wants_of(const Tensor& x) {
  using Wants = NormalizationBackward::Wants;
  return x.is_tracked() ? Wants::parameters_and_x : Wants::parameters;
}

Tensor recorded(const char* op, const Tensor& y, const Tensor& x, const Tensor& gamma,
                const Tensor& beta, const NormalizationBackward& backward) {
  return record(op, y, {&x, &gamma, &beta}, [input = Saved(x), backward](const Tensor& dy) {
    auto [dx, dgamma, dbeta] = backward(active_kernels(), input.get(), dy);
    return std::vector<Tensor>{std::move(dx), std::move(dgamma), std::move(dbeta)};
  });
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                  const Tensor& variance, const BatchNormOptions& options) {
  check_arguments({"batch_norm", x, gamma, beta, mean, variance}, options.epsilon, options.bounds);
  if (Recorder* recorder = Recorder::active()) {
    return recorder->record(BatchNormNode{gamma, beta, mean, variance, options}, {&x}, x.shape());
  }
  if (x.empty()) {
    return Tensor::uninitialized(x.shape());
  }
  const Normalization norm(to_doubles(mean), to_doubles(variance), gamma, beta, options.epsilon);
  const Tensor y = normalize(active_kernels(), x, norm, options.bounds);
  return recorded("batch_norm", y, x, gamma, beta,
                  {.norm = norm,
                   .bounds = options.bounds,
                   .statistics = Statistics::given,
                   .wants = wants_of(x)});
}

Tensor batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           Tensor& running_mean, Tensor& running_variance,
                           const BatchNormTrainingOptions& options) {
  const auto [epsilon, momentum, bounds] = options;
  check_arguments({"batch_norm_training", x, gamma, beta, running_mean, running_variance}, epsilon,
                  bounds);
  check(momentum >= 0.0f && momentum <= 1.0f,
        "batch_norm_training: momentum must be from 0 to 1: got ", momentum);
  check(Recorder::active() == nullptr,
        "batch_norm_training: a recorded network must be in evaluation: call eval() first");
  const std::size_t values = gamma.empty() ? 0 : x.size() / gamma.size();
  check(values >= 2, "batch_norm_training: a channel must have two values or more: input ",
        x.shape(), " has ", values);
  const auto& kernels = active_kernels();
  const BatchStatistics batch = batch_statistics(kernels, x);
  update_running(batch, momentum, running_mean, running_variance);
  const Normalization norm(batch.mean, batch.variance, gamma, beta, epsilon);
  const Tensor y = normalize(kernels, x, norm, bounds);
  return recorded(
      "batch_norm_training", y, x, gamma, beta,
      {.norm = norm, .bounds = bounds, .statistics = Statistics::of_batch, .wants = wants_of(x)});
}

}  // namespace lamina::nn
