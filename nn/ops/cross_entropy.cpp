#include <algorithm>
#include <cmath>

#include "core/autograd.h"
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

  double at(std::size_t row, std::size_t k) const {
    if (labels_.empty()) {
      const Tensor& given = given_.get();
      return kept_ * double{given.data()[row * given.shape()[1] + k]} + added_;
    }
    return (labels_[row] == k ? kept_ : 0.0) + added_;
  }

 private:
  std::vector<std::uint32_t> labels_;
  Saved given_;
  double kept_, added_;
};

double log_sum_exp(std::span<const float> row) {
  const double largest = *std::ranges::max_element(row);
  double sum = 0.0;
  for (const float value : row) {
    sum += std::exp(double{value} - largest);
  }
  return largest + std::log(sum);
}

std::span<const float> row_of(const Tensor& logits, std::size_t row) {
  const std::size_t classes = logits.shape()[1];
  return logits.values().subspan(row * classes, classes);
}

// The mean over the rows of sum_k t_k (log sum_j exp(x_j) - x_k).
Tensor mean_loss(const Tensor& logits, const Targets& targets) {
  const std::size_t rows = logits.shape()[0];
  std::vector<double> losses(rows);
  parallel_blocks(rows, task_rows(logits.shape()[1]), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const std::span<const float> x = row_of(logits, row);
      const double whole = log_sum_exp(x);
      for (std::size_t k = 0; k < x.size(); ++k) {
        const double target = targets.at(row, k);
        losses[row] += target == 0.0 ? 0.0 : target * (whole - double{x[k]});
      }
    }
  });
  double sum = 0.0;
  for (const double loss : losses) {
    sum += loss;
  }
  return Tensor::full({}, static_cast<float>(sum / static_cast<double>(rows)));
}

// (softmax(x)_k sum_j t_j - t_k) dy / rows.
Tensor logits_gradient(const Tensor& logits, const Targets& targets, float dy) {
  const std::size_t rows = logits.shape()[0];
  const std::size_t classes = logits.shape()[1];
  const double factor = double{dy} / static_cast<double>(rows);
  Tensor dx = Tensor::uninitialized(logits.shape());
  float* to = dx.data();
  parallel_blocks(rows, task_rows(classes), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const std::span<const float> x = row_of(logits, row);
      const double whole = log_sum_exp(x);
      double total = 0.0;
      for (std::size_t k = 0; k < classes; ++k) {
        total += targets.at(row, k);
      }
      for (std::size_t k = 0; k < classes; ++k) {
        const double probability = std::exp(double{x[k]} - whole);
        to[row * classes + k] =
            static_cast<float>((probability * total - targets.at(row, k)) * factor);
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
  return record("cross_entropy", mean_loss(logits, targets), {&logits},
                [input = Saved(logits), targets](const Tensor& dy) {
                  return std::vector<Tensor>{logits_gradient(input.get(), targets, *dy.data())};
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
