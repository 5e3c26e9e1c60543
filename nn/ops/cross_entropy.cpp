#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/loss.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"

namespace lamina::nn {
namespace {

// The wanted distribution of every row: one label's or given, smoothed.
class Targets {
 public:
  Targets(std::span<const std::uint32_t> labels, double smoothing, std::size_t classes)
      : labels_(labels.begin(), labels.end()),
        given_(Tensor()),
        kept_(1.0 - smoothing),
        added_(smoothing / static_cast<double>(classes)) {}
  Targets(const Tensor& given, double smoothing)
      : given_(given),
        kept_(1.0 - smoothing),
        added_(smoothing / static_cast<double>(given.shape()[1])) {}

  // Fills `target`, one value for each class.
  void copy_row(std::size_t row, std::vector<double>& target) const {
    if (!labels_.empty()) {
      std::ranges::fill(target, added_);
      target[labels_[row]] += kept_;
      return;
    }
    const float* from = given_->data() + row * target.size();
    std::transform(from, from + target.size(), target.begin(),
                   [&](float value) { return kept_ * double{value} + added_; });
  }

  // The sum of that.
  double total(const std::vector<double>& target) const {
    return labels_.empty() ? std::accumulate(target.begin(), target.end(), 0.0) : 1.0;
  }

 private:
  std::vector<std::uint32_t> labels_;
  Saved given_;
  double kept_, added_;
};

// log sum_j exp(x_j), from the largest of the probabilities.
double log_sum_exp(const float* x, const float* probabilities, std::size_t classes) {
  const float* const largest = std::max_element(x, x + classes);
  return double{*largest} - std::log(double{probabilities[largest - x]});
}

// The mean over the rows of sum_k t_k (log sum_j exp(x_j) - x_k). Fills `probabilities`.
Tensor mean_loss(const Tensor& logits, const Targets& targets, Tensor& probabilities) {
  const auto& kernels = active_kernels();
  const std::size_t rows = logits.shape()[0];
  const std::size_t classes = logits.shape()[1];
  std::vector<double> losses(rows);
  float* const to = probabilities.data();
  parallel_blocks(rows, task_rows(classes), [&](std::size_t begin, std::size_t end) {
    std::vector<double> target(classes);
    for (std::size_t row = begin; row < end; ++row) {
      const float* x = logits.data() + row * classes;
      float* p = to + row * classes;
      kernels.softmax({.rows = 1, .n = classes, .x = x, .y = p});
      const double whole = log_sum_exp(x, p, classes);
      targets.copy_row(row, target);
      for (std::size_t k = 0; k < classes; ++k) {
        if (target[k] != 0.0) {
          losses[row] += target[k] * (whole - double{x[k]});
        }
      }
    }
  });
  const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
  return Tensor::full({}, static_cast<float>(sum / static_cast<double>(rows)));
}

// (softmax(x)_k sum_j t_j - t_k) dy / rows.
Tensor logits_gradient(const Tensor& probabilities, const Targets& targets, float dy) {
  const std::size_t rows = probabilities.shape()[0];
  const std::size_t classes = probabilities.shape()[1];
  const double factor = double{dy} / static_cast<double>(rows);
  Tensor dx = Tensor::uninitialized(probabilities.shape());
  float* const to = dx.data();
  parallel_blocks(rows, task_rows(classes), [&](std::size_t begin, std::size_t end) {
    std::vector<double> target(classes);
    for (std::size_t row = begin; row < end; ++row) {
      targets.copy_row(row, target);
      const double total = targets.total(target);
      const float* p = probabilities.data() + row * classes;
      for (std::size_t k = 0; k < classes; ++k) {
        to[row * classes + k] = static_cast<float>((double{p[k]} * total - target[k]) * factor);
      }
    }
  });
  return dx;
}

void check_arguments(const Tensor& logits, const CrossEntropyOptions& options) {
  const Shape& shape = logits.shape();
  check(shape.rank() == 2 && !logits.empty(), "cross_entropy: logits must be [N, classes]: got ",
        shape);
  check(options.label_smoothing >= 0.0 && options.label_smoothing <= 1.0,
        "cross_entropy: label_smoothing must be from 0 to 1: got ", options.label_smoothing);
}

Tensor loss_of(const Tensor& logits, const Targets& targets) {
  Tensor probabilities = Tensor::uninitialized(logits.shape());
  const Tensor loss = mean_loss(logits, targets, probabilities);
  return record("cross_entropy", loss, {&logits}, [probabilities, targets](const Tensor& dy) {
    return std::vector<Tensor>{logits_gradient(probabilities, targets, *dy.data())};
  });
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, std::span<const std::uint32_t> labels,
                     const CrossEntropyOptions& options) {
  check_arguments(logits, options);
  const Shape& shape = logits.shape();
  check(labels.size() == shape[0], "cross_entropy: every row must have a label: logits ", shape,
        " have ", shape[0], ", labels are ", labels.size());
  for (const std::uint32_t label : labels) {
    check(label < shape[1], "cross_entropy: labels must be below the number of classes: got ",
          label, ", logits ", shape, " have ", shape[1]);
  }
  return loss_of(logits, Targets(labels, options.label_smoothing, shape[1]));
}

Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options) {
  check_arguments(logits, options);
  check(targets.shape() == logits.shape(),
        "cross_entropy: targets must have the shape of the logits: targets are ", targets.shape(),
        ", logits ", logits.shape());
  return loss_of(logits, Targets(targets, options.label_smoothing));
}

}  // namespace lamina::nn
