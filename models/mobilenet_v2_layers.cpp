#include "core/error.h"
#include "models/mobilenet_v2.h"

namespace lamina::models {
namespace {

LayerInfo::Kind kind_of(const nn::Conv2dLayerOptions& options) {
  if (options.groups == options.in_channels && options.groups == options.out_channels) {
    return LayerInfo::Kind::depthwise;
  }
  return options.kernel == nn::Size2(1) && options.groups == 1 ? LayerInfo::Kind::pointwise
                                                               : LayerInfo::Kind::convolution;
}

LayerInfo describe(std::string name, const nn::ConvNormActivation& layer, const Shape& input) {
  const nn::Conv2d& convolution = layer.convolution();
  const nn::Conv2dOptions options = convolution.op_options({input[1], input[2]}, layer.bounds());
  const Shape output = nn::conv2d_shape(input, convolution.weight.shape(), options);
  const std::size_t weights = convolution.weight.size();
  return {.name = std::move(name),
          .kind = kind_of(convolution.options()),
          .input = input,
          .output = output,
          .options = options,
          .kernel = convolution.options().kernel,
          .multiply_adds = output[0] * output[1] * output[2] * weights,
          .parameters = weights + output[3]};
}

}  // namespace

std::vector<LayerInfo> MobileNetV2::layers(const Shape& input) const {
  check_input(input);
  std::vector<LayerInfo> layers = {describe("features.0.0", stem_, input)};
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const std::string block = text("features.", i + 1, '.');
    for (const auto& [name, layer] : blocks_[i]->parts()) {
      layers.push_back(describe(block + name, *layer, layers.back().output));
    }
    if (blocks_[i]->has_residual()) {
      const Shape shape = layers.back().output;
      layers.push_back(
          {.name = block + "add", .kind = LayerInfo::Kind::add, .input = shape, .output = shape});
    }
  }
  const std::string last = text("features.", blocks_.size() + 1, ".0");
  layers.push_back(describe(last, last_, layers.back().output));
  const Shape image = layers.back().output;
  const Shape pooled = {image[0], image[3]};
  layers.push_back(
      {.name = "pool", .kind = LayerInfo::Kind::pool, .input = image, .output = pooled});
  layers.push_back({.name = "classifier.1",
                    .kind = LayerInfo::Kind::linear,
                    .input = pooled,
                    .output = {image[0], options_.classes},
                    .multiply_adds = pooled.size() * options_.classes,
                    .parameters = (image[3] + 1) * options_.classes});
  return layers;
}

}  // namespace lamina::models
