#include "tests/models/naming_samples.h"

#include <algorithm>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace lamina::test {
namespace {

using models::Checkpoint;
using models::Naming;

// Each naming again, as substitutions in torchvision's names: the first one that fits.
struct Substitution {
  const char* pattern;
  const char* with;
};

std::string substituted(std::string name, const std::vector<Substitution>& rules) {
  for (const auto& [pattern, with] : rules) {
    const std::regex expression(pattern);
    if (std::regex_search(name, expression)) {
      return std::regex_replace(name, expression, with);
    }
  }
  return name;
}

struct RowAndRepeat {
  int row, repeat;
};
RowAndRepeat row_of(int block) {
  constexpr int kBegins[] = {1, 2, 4, 7, 11, 14, 17, 18};
  int row = 0;
  while (block >= kBegins[row + 1]) {
    ++row;
  }
  return {row, block - kBegins[row]};
}

// "@B" becomes the block's number, "@A" one less, "@L" two less, "@S" its row, "@R" one more, "@I"
// its number in the row.
std::string with_block(const std::string& name, const std::string& pattern) {
  std::smatch found;
  const int block =
      std::regex_search(name, found, std::regex(R"(features\.(\d+)\.)")) ? std::stoi(found[1]) : 0;
  const RowAndRepeat at = row_of(std::clamp(block, 1, 17));
  std::string result = pattern;
  for (const auto& [key, value] : std::vector<std::pair<std::string, int>>{{"@B", block},
                                                                           {"@A", block - 1},
                                                                           {"@L", block - 2},
                                                                           {"@S", at.row},
                                                                           {"@R", at.row + 1},
                                                                           {"@I", at.repeat}}) {
    result = std::regex_replace(result, std::regex(key), std::to_string(value));
  }
  return result;
}

std::vector<Substitution> tonylins_rules() {
  return {{R"(features\.1\.conv\.0\.0)", "features.1.conv.0"},
          {R"(features\.1\.conv\.0\.1)", "features.1.conv.1"},
          {R"(features\.1\.conv\.1)", "features.1.conv.3"},
          {R"(features\.1\.conv\.2)", "features.1.conv.4"},
          {R"(conv\.0\.0)", "conv.0"},
          {R"(conv\.0\.1)", "conv.1"},
          {R"(conv\.1\.0)", "conv.3"},
          {R"(conv\.1\.1)", "conv.4"},
          {R"(conv\.2)", "conv.6"},
          {R"(conv\.3)", "conv.7"},
          {R"(classifier\.1)", "classifier"}};
}

std::vector<Substitution> d_li14_rules() {
  std::vector<Substitution> rules = tonylins_rules();
  rules.insert(rules.begin(), {R"(features\.18\.)", "conv."});
  return rules;
}

std::vector<Substitution> mmcls_rules() {
  return {{R"(features\.0\.0)", "backbone.conv1.conv"},
          {R"(features\.0\.1)", "backbone.conv1.bn"},
          {R"(features\.18\.0)", "backbone.conv2.conv"},
          {R"(features\.18\.1)", "backbone.conv2.bn"},
          {R"(features\.1\.conv\.0\.0)", "backbone.layer1.0.conv.0.conv"},
          {R"(features\.1\.conv\.0\.1)", "backbone.layer1.0.conv.0.bn"},
          {R"(features\.1\.conv\.1)", "backbone.layer1.0.conv.1.conv"},
          {R"(features\.1\.conv\.2)", "backbone.layer1.0.conv.1.bn"},
          {R"(features\.\d+\.conv\.(\d)\.0)", "backbone.layer@R.@I.conv.$1.conv"},
          {R"(features\.\d+\.conv\.(\d)\.1)", "backbone.layer@R.@I.conv.$1.bn"},
          {R"(features\.\d+\.conv\.2)", "backbone.layer@R.@I.conv.2.conv"},
          {R"(features\.\d+\.conv\.3)", "backbone.layer@R.@I.conv.2.bn"},
          {R"(classifier\.1)", "head.fc"}};
}

std::vector<Substitution> timm_rules() {
  return {{R"(features\.0\.0)", "conv_stem"},
          {R"(features\.0\.1)", "bn1"},
          {R"(features\.18\.0)", "conv_head"},
          {R"(features\.18\.1)", "bn2"},
          {R"(features\.1\.conv\.0\.0)", "blocks.0.0.conv_dw"},
          {R"(features\.1\.conv\.0\.1)", "blocks.0.0.bn1"},
          {R"(features\.1\.conv\.1)", "blocks.0.0.conv_pw"},
          {R"(features\.1\.conv\.2)", "blocks.0.0.bn2"},
          {R"(features\.\d+\.conv\.0\.0)", "blocks.@S.@I.conv_pw"},
          {R"(features\.\d+\.conv\.0\.1)", "blocks.@S.@I.bn1"},
          {R"(features\.\d+\.conv\.1\.0)", "blocks.@S.@I.conv_dw"},
          {R"(features\.\d+\.conv\.1\.1)", "blocks.@S.@I.bn2"},
          {R"(features\.\d+\.conv\.2)", "blocks.@S.@I.conv_pwl"},
          {R"(features\.\d+\.conv\.3)", "blocks.@S.@I.bn3"},
          {R"(classifier\.1)", "classifier"}};
}

std::vector<Substitution> transformers_rules() {
  return {{R"(features\.0\.0)", "mobilenet_v2.conv_stem.first_conv.convolution"},
          {R"(features\.0\.1)", "mobilenet_v2.conv_stem.first_conv.normalization"},
          {R"(features\.18\.0)", "mobilenet_v2.conv_1x1.convolution"},
          {R"(features\.18\.1)", "mobilenet_v2.conv_1x1.normalization"},
          {R"(features\.1\.conv\.0\.0)", "mobilenet_v2.conv_stem.conv_3x3.convolution"},
          {R"(features\.1\.conv\.0\.1)", "mobilenet_v2.conv_stem.conv_3x3.normalization"},
          {R"(features\.1\.conv\.1)", "mobilenet_v2.conv_stem.reduce_1x1.convolution"},
          {R"(features\.1\.conv\.2)", "mobilenet_v2.conv_stem.reduce_1x1.normalization"},
          {R"(features\.\d+\.conv\.0\.0)", "mobilenet_v2.layer.@L.expand_1x1.convolution"},
          {R"(features\.\d+\.conv\.0\.1)", "mobilenet_v2.layer.@L.expand_1x1.normalization"},
          {R"(features\.\d+\.conv\.1\.0)", "mobilenet_v2.layer.@L.conv_3x3.convolution"},
          {R"(features\.\d+\.conv\.1\.1)", "mobilenet_v2.layer.@L.conv_3x3.normalization"},
          {R"(features\.\d+\.conv\.2)", "mobilenet_v2.layer.@L.reduce_1x1.convolution"},
          {R"(features\.\d+\.conv\.3)", "mobilenet_v2.layer.@L.reduce_1x1.normalization"},
          {R"(classifier\.1)", "classifier"}};
}

std::vector<Substitution> keras_rules() {
  return {{R"(features\.0\.0)", "Conv1"},
          {R"(features\.0\.1)", "bn_Conv1"},
          {R"(features\.18\.0)", "Conv_1"},
          {R"(features\.18\.1)", "Conv_1_bn"},
          {R"(features\.1\.conv\.0\.0)", "expanded_conv_depthwise"},
          {R"(features\.1\.conv\.0\.1)", "expanded_conv_depthwise_BN"},
          {R"(features\.1\.conv\.1)", "expanded_conv_project"},
          {R"(features\.1\.conv\.2)", "expanded_conv_project_BN"},
          {R"(features\.\d+\.conv\.0\.0)", "block_@A_expand"},
          {R"(features\.\d+\.conv\.0\.1)", "block_@A_expand_BN"},
          {R"(features\.\d+\.conv\.1\.0)", "block_@A_depthwise"},
          {R"(features\.\d+\.conv\.1\.1)", "block_@A_depthwise_BN"},
          {R"(features\.\d+\.conv\.2)", "block_@A_project"},
          {R"(features\.\d+\.conv\.3)", "block_@A_project_BN"},
          {R"(classifier\.1)", "predictions"}};
}

std::vector<Substitution> slim_rules() {
  std::vector<Substitution> rules = {
      {R"(features\.0\.0)", "MobilenetV2/Conv"},
      {R"(features\.0\.1)", "MobilenetV2/Conv/BatchNorm"},
      {R"(features\.18\.0)", "MobilenetV2/Conv_1"},
      {R"(features\.18\.1)", "MobilenetV2/Conv_1/BatchNorm"},
      {R"(features\.1\.conv\.0\.0)", "MobilenetV2/expanded_conv/depthwise"},
      {R"(features\.1\.conv\.0\.1)", "MobilenetV2/expanded_conv/depthwise/BatchNorm"},
      {R"(features\.1\.conv\.1)", "MobilenetV2/expanded_conv/project"},
      {R"(features\.1\.conv\.2)", "MobilenetV2/expanded_conv/project/BatchNorm"},
      {R"(features\.\d+\.conv\.0\.0)", "MobilenetV2/expanded_conv_@A/expand"},
      {R"(features\.\d+\.conv\.0\.1)", "MobilenetV2/expanded_conv_@A/expand/BatchNorm"},
      {R"(features\.\d+\.conv\.1\.0)", "MobilenetV2/expanded_conv_@A/depthwise"},
      {R"(features\.\d+\.conv\.1\.1)", "MobilenetV2/expanded_conv_@A/depthwise/BatchNorm"},
      {R"(features\.\d+\.conv\.2)", "MobilenetV2/expanded_conv_@A/project"},
      {R"(features\.\d+\.conv\.3)", "MobilenetV2/expanded_conv_@A/project/BatchNorm"},
      {R"(classifier\.1)", "MobilenetV2/Logits/Conv2d_1c_1x1"}};
  return rules;
}

std::string pytorch_name(const std::string& ours, const std::vector<Substitution>& rules) {
  return with_block(ours, substituted(ours, rules));
}

// TensorFlow's names of the parts of a layer, and its layout.
void add_tensorflow(const std::string& ours, const Tensor& tensor, Naming naming,
                    Checkpoint& checkpoint) {
  const bool slim = naming == Naming::tf_slim;
  std::string name = pytorch_name(ours, slim ? slim_rules() : keras_rules());
  const Shape s = tensor.shape();
  const bool depthwise = s.rank() == 4 && s[1] == 1 && s[2] == 3;
  const std::string weight =
      std::string(depthwise ? "depthwise_" : "") + (slim ? "weights" : "kernel");
  const std::string end = slim ? "" : ":0";
  const auto renamed = [&](const char* leaf, const std::string& with) {
    name = std::regex_replace(name, std::regex(std::string("\\.") + leaf + "$"), "/" + with + end);
  };
  const bool norm = std::regex_search(
      ours,
      std::regex(R"(^features\.(0|18)\.1\.|conv\.[01]\.1\.|\d\d?\.conv\.3\.|\.1\.conv\.2\.)"));
  renamed("weight", norm ? "gamma" : weight);
  renamed("bias", norm ? "beta" : slim ? "biases" : "bias");
  renamed("running_mean", "moving_mean");
  renamed("running_var", "moving_variance");
  Tensor turned = tensor;
  if (s.rank() == 4) {
    turned = Tensor::uninitialized(depthwise ? Shape{s[2], s[3], s[0], s[1]}
                                             : Shape{s[2], s[3], s[1], s[0]});
    for (std::size_t o = 0; o < s[0]; ++o) {
      for (std::size_t i = 0; i < s[1]; ++i) {
        for (std::size_t k = 0; k < s[2] * s[3]; ++k) {
          const std::size_t to = depthwise ? k * s[0] + o : (k * s[1] + i) * s[0] + o;
          turned.data()[to] = tensor.data()[(o * s[1] + i) * s[2] * s[3] + k];
        }
      }
    }
  } else if (s.rank() == 2) {
    turned = Tensor::uninitialized(slim ? Shape{1, 1, s[1], s[0]} : Shape{s[1], s[0]});
    for (std::size_t k = 0; k < s[0] * s[1]; ++k) {
      turned.data()[k % s[1] * s[0] + k / s[1]] = tensor.data()[k];
    }
  }
  checkpoint.tensors.emplace(name, turned);
}

}  // namespace

Checkpoint theirs(const Checkpoint& ours, Naming naming) {
  Checkpoint checkpoint;
  for (const auto& [name, tensor] : ours.tensors) {
    switch (naming) {
      case Naming::torchvision:
        checkpoint.tensors.emplace(name, tensor);
        break;
      case Naming::mmcls:
        checkpoint.tensors.emplace(pytorch_name(name, mmcls_rules()), tensor);
        break;
      case Naming::tonylins:
        checkpoint.tensors.emplace(pytorch_name(name, tonylins_rules()), tensor);
        break;
      case Naming::d_li14:
        checkpoint.tensors.emplace(pytorch_name(name, d_li14_rules()), tensor);
        break;
      case Naming::timm:
        checkpoint.tensors.emplace(pytorch_name(name, timm_rules()), tensor);
        break;
      case Naming::transformers:
        checkpoint.tensors.emplace(pytorch_name(name, transformers_rules()), tensor);
        break;
      case Naming::keras:
      case Naming::tf_slim:
        add_tensorflow(name, tensor, naming, checkpoint);
        break;
    }
  }
  return checkpoint;
}

}  // namespace lamina::test
