#include "tests/models/double_network.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace lamina::test {
namespace {

using Handle = DoubleNetwork::Handle;
using Values = DoubleNetwork::Values;

// Calls each(x index, w index, y index) for every product that a convolution adds up.
template <class Each>
void for_each_product(const nn::Conv2dLayerOptions& options, const Shape& x, const Shape& w,
                      const Shape& y, const Each& each) {
  const std::size_t pad_h = (w[1] - 1) / 2;
  const std::size_t pad_w = (w[2] - 1) / 2;
  const std::size_t group_out = w[0] / options.groups;
  for (std::size_t i = 0; i < y.size() / w[0]; ++i) {
    const std::size_t ox = i % y[2];
    const std::size_t oy = i / y[2] % y[1];
    const std::size_t image = i / y[2] / y[1];
    for (std::size_t tap = 0; tap < w[1] * w[2]; ++tap) {
      const std::size_t iy = oy * options.stride.h + tap / w[2] - pad_h;  // wraps where outside
      const std::size_t ix = ox * options.stride.w + tap % w[2] - pad_w;
      if (iy >= x[1] || ix >= x[2]) {
        continue;
      }
      const std::size_t pixel = ((image * x[1] + iy) * x[2] + ix) * x[3];
      for (std::size_t o = 0; o < w[0]; ++o) {
        const std::size_t from = pixel + o / group_out * w[3];
        const std::size_t weight = (o * w[1] * w[2] + tap) * w[3];
        for (std::size_t c = 0; c < w[3]; ++c) {
          each(from + c, weight + c, i * w[0] + o);
        }
      }
    }
  }
}

// "features.1.conv.2" has the norm "features.1.conv.3".
std::string norm_of(std::string convolution) {
  ++convolution.back();
  return convolution;
}

}  // namespace

DoubleNetwork::DoubleNetwork(models::MobileNetV2& net) : net_(net) {
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    const Handle array = make(tensor.value->shape());
    std::ranges::copy(std::as_const(*tensor.value).values(), array->values.begin());
    tensors_[tensor.name] = array;
  }
}

Handle DoubleNetwork::make(const Shape& shape) const {
  return std::make_shared<Array>(Array{shape, Values(shape.size()), Values(shape.size())});
}

Handle DoubleNetwork::convolve(const nn::Conv2dLayerOptions& options, const Handle& x,
                               const Handle& w) {
  const Shape& s = x->shape;
  const auto out = [](std::size_t in, std::size_t stride) { return (in - 1) / stride + 1; };
  const Handle y =
      make({s[0], out(s[1], options.stride.h), out(s[2], options.stride.w), w->shape[0]});
  for_each_product(options, s, w->shape, y->shape,
                   [&](std::size_t from, std::size_t weight, std::size_t to) {
                     y->values[to] += x->values[from] * w->values[weight];
                   });
  backward_.emplace_back([options, x, w, y] {
    for_each_product(options, x->shape, w->shape, y->shape,
                     [&](std::size_t from, std::size_t weight, std::size_t to) {
                       x->gradient[from] += y->gradient[to] * w->values[weight];
                       w->gradient[weight] += y->gradient[to] * x->values[from];
                     });
  });
  return y;
}

Handle DoubleNetwork::normalize(const std::string& name, const Handle& x) {
  constexpr double kEpsilon = 1e-5;
  const Handle gamma = tensors_.at(name + ".weight");
  const Handle beta = tensors_.at(name + ".bias");
  const std::size_t channels = gamma->values.size();
  const double rows = static_cast<double>(x->values.size() / channels);
  Values mean(channels);
  Values variance(channels);
  const Handle y = make(x->shape);
  for (std::size_t i = 0; i < x->values.size(); ++i) {
    mean[i % channels] += x->values[i] / rows;
  }
  for (std::size_t i = 0; i < x->values.size(); ++i) {
    variance[i % channels] += std::pow(x->values[i] - mean[i % channels], 2) / rows;
  }
  const auto normal = std::make_shared<Values>(x->values);
  for (std::size_t i = 0; i < x->values.size(); ++i) {
    const std::size_t c = i % channels;
    (*normal)[i] = (x->values[i] - mean[c]) / std::sqrt(variance[c] + kEpsilon);
    y->values[i] = (*normal)[i] * gamma->values[c] + beta->values[c];
  }
  for (std::size_t c = 0; c < channels; ++c) {
    double& running_mean = tensors_.at(name + ".running_mean")->values[c];
    double& running_variance = tensors_.at(name + ".running_var")->values[c];
    running_mean += 0.1 * (mean[c] - running_mean);
    running_variance += 0.1 * (variance[c] * rows / (rows - 1) - running_variance);
  }
  backward_.emplace_back([=] {
    for (std::size_t i = 0; i < x->values.size(); ++i) {
      beta->gradient[i % channels] += y->gradient[i];
      gamma->gradient[i % channels] += y->gradient[i] * (*normal)[i];
    }
    for (std::size_t i = 0; i < x->values.size(); ++i) {
      const std::size_t c = i % channels;
      const double mean_part = (beta->gradient[c] + (*normal)[i] * gamma->gradient[c]) / rows;
      x->gradient[i] +=
          gamma->values[c] / std::sqrt(variance[c] + kEpsilon) * (y->gradient[i] - mean_part);
    }
  });
  return y;
}

Handle DoubleNetwork::relu6(const std::string& name, const Handle& x) {
  const Handle y = make(x->shape);
  const auto is_inside = std::make_shared<std::vector<bool>>();
  for (std::size_t i = 0; i < x->values.size(); ++i) {
    const double value = x->values[i];
    bool inside = 0.0 < value && value < 6.0;
    if (const double distance = std::min(std::abs(value), std::abs(value - 6.0)); distance < 1e-4) {
      near_.insert({distance, {name, i}});
      inside = inside != crossed_.contains({name, i});
    }
    is_inside->push_back(inside);
    y->values[i] = std::clamp(value, 0.0, 6.0);
  }
  backward_.emplace_back([x, y, is_inside] {
    for (std::size_t i = 0; i < x->values.size(); ++i) {
      x->gradient[i] += (*is_inside)[i] ? y->gradient[i] : 0.0;
    }
  });
  return y;
}

Handle DoubleNetwork::add(const Handle& a, const Handle& b) {
  const Handle y = make(a->shape);
  std::ranges::transform(a->values, b->values, y->values.begin(), std::plus<>());
  backward_.emplace_back([a, b, y] {
    for (std::size_t i = 0; i < y->values.size(); ++i) {
      a->gradient[i] += y->gradient[i];
      b->gradient[i] += y->gradient[i];
    }
  });
  return y;
}

Handle DoubleNetwork::pool(const Handle& x) {
  const std::size_t pixels = x->shape[1] * x->shape[2];
  const std::size_t channels = x->shape[3];
  const Handle y = make({x->shape[0], channels});
  const auto to = [=](std::size_t i) { return i / (pixels * channels) * channels + i % channels; };
  for (std::size_t i = 0; i < x->values.size(); ++i) {
    y->values[to(i)] += x->values[i] / static_cast<double>(pixels);
  }
  backward_.emplace_back([=] {
    for (std::size_t i = 0; i < x->values.size(); ++i) {
      x->gradient[i] += y->gradient[to(i)] / static_cast<double>(pixels);
    }
  });
  return y;
}

Handle DoubleNetwork::classify(const Handle& x) {
  const Handle w = tensors_.at("classifier.1.weight");
  const Handle bias = tensors_.at("classifier.1.bias");
  const std::size_t in = w->shape[1];
  const std::size_t out = w->shape[0];
  const Handle y = make({x->shape[0], out});
  for (std::size_t i = 0; i < y->values.size(); ++i) {
    y->values[i] = bias->values[i % out];
    for (std::size_t k = 0; k < in; ++k) {
      y->values[i] += x->values[i / out * in + k] * w->values[i % out * in + k];
    }
  }
  backward_.emplace_back([=] {
    for (std::size_t i = 0; i < y->values.size(); ++i) {
      bias->gradient[i % out] += y->gradient[i];
      for (std::size_t k = 0; k < in; ++k) {
        w->gradient[i % out * in + k] += y->gradient[i] * x->values[i / out * in + k];
        x->gradient[i / out * in + k] += y->gradient[i] * w->values[i % out * in + k];
      }
    }
  });
  return y;
}

double DoubleNetwork::cross_entropy(const Handle& x, std::span<const std::uint32_t> labels,
                                    double smoothing) {
  const std::size_t classes = x->shape[1];
  const double rows = static_cast<double>(labels.size());
  double loss = 0.0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    double sum = 0.0;
    for (std::size_t k = 0; k < classes; ++k) {
      sum += std::exp(x->values[row * classes + k]);
    }
    for (std::size_t k = 0; k < classes; ++k) {
      const std::size_t i = row * classes + k;
      const double target =
          (labels[row] == k ? 1.0 - smoothing : 0.0) + smoothing / static_cast<double>(classes);
      const double probability = std::exp(x->values[i]) / sum;
      loss -= target * std::log(probability) / rows;
      x->gradient[i] += (probability - target) / rows;
    }
  }
  return loss;
}

Handle DoubleNetwork::layer(const std::string& name, const nn::ConvNormActivation& layer,
                            const Handle& x) {
  Handle y = convolve(layer.convolution().options(), x, tensors_.at(name + ".weight"));
  y = normalize(norm_of(name), y);
  return layer.activation() == nn::ConvNormActivation::Activation::relu6 ? relu6(name, y) : y;
}

double DoubleNetwork::step(const Tensor& images, std::span<const std::uint32_t> labels,
                           double label_smoothing) {
  for (const auto& [name, array] : tensors_) {
    std::ranges::fill(array->gradient, 0.0);
  }
  near_.clear();
  input_ = make(images.shape());
  std::ranges::copy(images.values(), input_->values.begin());
  Handle y = layer("features.0.0", net_.stem(), input_);
  for (std::size_t i = 0; i < net_.blocks().size(); ++i) {
    const models::InvertedResidual& block = *net_.blocks()[i];
    const Handle x = y;
    for (const auto& [part, layer] : block.parts()) {
      y = this->layer(text("features.", i + 1, '.', part), *layer, y);
    }
    y = block.has_residual() ? add(x, y) : y;
  }
  y = layer(text("features.", net_.blocks().size() + 1, ".0"), net_.last(), y);
  logits_ = classify(pool(y));
  const double loss = cross_entropy(logits_, labels, label_smoothing);
  while (!backward_.empty()) {
    backward_.back()();
    backward_.pop_back();
  }
  return loss;
}

void DoubleNetwork::descend(double rate, double momentum, double weight_decay) {
  for (const auto& [name, array] : tensors_) {
    if (name.find("running") != std::string::npos) {
      continue;
    }
    const bool is_first = !momenta_.contains(name);
    Values& velocity = momenta_[name];
    velocity.resize(array->values.size());
    for (std::size_t i = 0; i < velocity.size(); ++i) {
      const double gradient = array->gradient[i] + weight_decay * array->values[i];
      velocity[i] = is_first ? gradient : momentum * velocity[i] + gradient;
      array->values[i] -= rate * velocity[i];
    }
  }
}

}  // namespace lamina::test
