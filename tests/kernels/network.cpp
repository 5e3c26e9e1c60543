#include "tests/kernels/network.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace lamina::test {

std::vector<NetworkLayer> network_layers(std::size_t resolution) {
  using Kind = NetworkLayer::Kind;
  constexpr std::size_t kStages[][4] = {// expansion, channels, repeats, stride
                                        {1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                        {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  std::vector<NetworkLayer> layers = {{Kind::stem, resolution, 3, 32, 2}};
  std::size_t size = resolution / 2;
  std::size_t in = 32;
  for (const auto& [expansion, channels, repeats, first_stride] : kStages) {
    for (std::size_t i = 0; i < repeats; ++i) {
      const std::size_t hidden = in * expansion;
      const std::size_t stride = i == 0 ? first_stride : 1;
      if (expansion != 1) {
        layers.push_back({Kind::pointwise, size, in, hidden, 1});
      }
      layers.push_back({Kind::depthwise, size, hidden, hidden, stride});
      size /= stride;
      layers.push_back({Kind::pointwise, size, hidden, channels, 1});
      in = channels;
    }
  }
  layers.push_back({Kind::pointwise, size, in, 1280, 1});
  return layers;
}

std::vector<NetworkLayer> layers_under_test() {
  std::vector<NetworkLayer> distinct;
  for (const NetworkLayer& layer : network_layers(224)) {
    if (std::find(distinct.begin(), distinct.end(), layer) == distinct.end()) {
      distinct.push_back(layer);
    }
  }
  return distinct;
}

// Multiply-adds without the classifier; the paper's 300 million, rounded, has it.
TEST(Network, has_52_convolutions_and_the_papers_cost) {
  const auto layers = network_layers(224);
  EXPECT_EQ(layers.size(), 52u);
  std::size_t multiply_adds = 0;
  for (const auto& [kind, size, in, out, stride] : layers) {
    const std::size_t pixels = size / stride * (size / stride);
    const std::size_t a_pixel = kind == NetworkLayer::Kind::stem        ? 27 * out
                                : kind == NetworkLayer::Kind::depthwise ? 9 * out
                                                                        : in * out;
    multiply_adds += pixels * a_pixel;
  }
  EXPECT_EQ(multiply_adds, 299494272u);
}

}  // namespace lamina::test
