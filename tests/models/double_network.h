#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "models/mobilenet_v2.h"

namespace lamina::test {

/// A MobileNetV2 in training, forward and backward, in plain loops over doubles and nothing of the
/// library's own operations: what they are compared with where float32 is in the way. Dropout is
/// left out, epsilon is 1e-5, symmetric padding.
class DoubleNetwork {
 public:
  using Values = std::vector<double>;

  /// Values and their gradients.
  struct Array {
    Shape shape;
    Values values;
    Values gradient;
  };
  using Handle = std::shared_ptr<Array>;

  /// With the tensors that `net` has now. Only its structure is read later.
  explicit DoubleNetwork(models::MobileNetV2& net);

  /// A value before a ReLU6, by the name of its convolution.
  struct Place {
    std::string layer;
    std::size_t index;
    auto operator<=>(const Place&) const = default;
  };

  /// The next steps take the gradient of ReLU6 on the other side of its bound at these places.
  void cross(const std::set<Place>& places) { crossed_ = places; }
  /// Where the last step's values were closer than 1e-4 to a bound of ReLU6, by their distance.
  const std::multimap<double, Place>& near_bounds() const { return near_; }

  /// Loss of a forward pass with cross-entropy; gradients follow, running statistics move.
  double step(const Tensor& images, std::span<const std::uint32_t> labels, double label_smoothing);

  /// Momentum SGD as PyTorch has it.
  void descend(double rate, double momentum, double weight_decay);

  /// Parameters and running statistics by name, convolution weights [O, KH, KW, I].
  const std::map<std::string, Handle>& tensors() const { return tensors_; }
  const std::map<std::string, Values>& momenta() const { return momenta_; }
  const Array& input() const { return *input_; }
  const Array& logits() const { return *logits_; }

 private:
  Handle make(const Shape& shape) const;
  Handle layer(const std::string& name, const nn::ConvNormActivation& layer, const Handle& x);
  Handle convolve(const nn::Conv2dLayerOptions& options, const Handle& x, const Handle& w);
  Handle normalize(const std::string& name, const Handle& x);
  Handle relu6(const std::string& name, const Handle& x);
  Handle add(const Handle& a, const Handle& b);
  Handle pool(const Handle& x);
  Handle classify(const Handle& x);
  double cross_entropy(const Handle& x, std::span<const std::uint32_t> labels, double smoothing);

  const models::MobileNetV2& net_;
  std::map<std::string, Handle> tensors_;
  std::map<std::string, Values> momenta_;
  std::set<Place> crossed_;
  std::multimap<double, Place> near_;
  Handle input_, logits_;
  std::vector<std::function<void()>> backward_;
};

}  // namespace lamina::test
