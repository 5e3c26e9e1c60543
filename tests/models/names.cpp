#include "models/checkpoint/names.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>

#include "models/load.h"
#include "tests/models/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

namespace lamina {
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

class Names : public testing::TestWithParam<Naming> {
 protected:
  Names() {
    test::randomize(net_, 3);
    ours_ = models::to_checkpoint(net_);
    ours_.metadata.clear();
  }

  void expect_ours(const models::Renamed& renamed, const Checkpoint& want) const {
    const Checkpoint got = models::to_checkpoint(renamed.archive, "file");
    EXPECT_EQ(got.tensors.size(), want.tensors.size());
    for (const auto& [name, tensor] : want.tensors) {
      ASSERT_TRUE(got.tensors.contains(name)) << name;
      EXPECT_TRUE(test::same_bits(got.tensors.at(name), tensor)) << name;
    }
  }

  models::MobileNetV2 net_{{.classes = 4, .width = 0.1f, .last_channels = 24}};
  Checkpoint ours_;
};

TEST_P(Names, AreTurnedIntoOurs) {
  const Checkpoint file = theirs(ours_, GetParam());
  ASSERT_EQ(file.tensors.size(), ours_.tensors.size());
  const models::Renamed renamed = models::with_our_names(test::to_archive(file));
  EXPECT_EQ(renamed.naming, GetParam());
  EXPECT_EQ(renamed.prefix, "");
  EXPECT_TRUE(renamed.remarks.empty());
  expect_ours(renamed, ours_);
}

TEST_P(Names, AreTurnedIntoOursWithoutBatchNorm) {
  nn::fold_batch_norm(net_);
  const Checkpoint folded = models::to_checkpoint(net_);
  const models::Renamed renamed =
      models::with_our_names(test::to_archive(theirs(folded, GetParam())));
  EXPECT_EQ(renamed.naming, GetParam());
  expect_ours(renamed, folded);
}

TEST_P(Names, MayHaveAPrefix) {
  for (const std::string prefix : {"module.", "model.", "state_dict.module."}) {
    Checkpoint file;
    for (const auto& [name, tensor] : theirs(ours_, GetParam()).tensors) {
      file.tensors.emplace(prefix + name, tensor);
    }
    const models::Renamed renamed = models::with_our_names(test::to_archive(file));
    EXPECT_EQ(renamed.naming, GetParam());
    EXPECT_EQ(renamed.prefix, prefix);
    expect_ours(renamed, ours_);
  }
}

TEST_P(Names, AreWrittenAndReadBack) {
  if (GetParam() == Naming::keras || GetParam() == Naming::tf_slim) {
    test::expect_error([&] { models::with_names(ours_, GetParam()); },
                       text("with_names: names must be those of a library that writes PyTorch's "
                            "layout: got ",
                            models::name_of(GetParam())));
    return;
  }
  const Checkpoint written = models::with_names(ours_, GetParam());
  const Checkpoint want = theirs(ours_, GetParam());
  for (const auto& [name, tensor] : want.tensors) {
    EXPECT_TRUE(written.tensors.contains(name) ||
                (GetParam() == Naming::tonylins && name.starts_with("classifier")))
        << name;
  }
  expect_ours(models::with_our_names(test::to_archive(written)), ours_);
}

std::string case_name(const testing::TestParamInfo<Naming>& info) {
  return std::regex_replace(std::string(models::name_of(info.param)), std::regex("-"), "_");
}

INSTANTIATE_TEST_SUITE_P(Each, Names,
                         testing::ValuesIn(models::all_namings().begin(),
                                           models::all_namings().end()),
                         case_name);

TEST(NamesList, IsFoundByName) {
  for (const Naming naming : models::all_namings()) {
    EXPECT_EQ(models::find_naming(models::name_of(naming)), naming);
  }
  EXPECT_EQ(models::find_naming("caffe"), std::nullopt);
}

// The table derived from MMPretrain's own converter.
TEST(NamesList, MmclsIsThatOfItsConverter) {
  LAMINA_NEEDS_SHARED_DATA();
  std::ifstream table(test::shared_data() / "checkpoints/mmcls_mapping.md");
  std::vector<std::pair<std::string, std::string>> want, got;
  const std::regex row(R"(\| ((?:backbone|head)\.\S+) \| ((?:features|classifier)\.\S+) \|)");
  for (std::string line; std::getline(table, line);) {
    std::smatch found;
    if (std::regex_match(line, found, row)) {
      want.emplace_back(found[1], found[2]);
    }
  }
  const auto mmcls = models::layer_names(Naming::mmcls);
  const auto torchvision = models::layer_names(Naming::torchvision);
  for (std::size_t i = 0; i < mmcls.size(); ++i) {
    got.emplace_back(mmcls[i].convolution, torchvision[i].convolution);
    if (!mmcls[i].norm.empty()) {
      got.emplace_back(mmcls[i].norm, torchvision[i].norm);
    }
  }
  EXPECT_EQ(want.size(), 105u);
  EXPECT_EQ(got, want);
}

class OddNames : public testing::Test {
 protected:
  OddNames() {
    test::randomize(net_, 3);
    ours_ = models::to_checkpoint(net_);
  }

  models::Renamed renamed() const { return models::with_our_names(test::to_archive(file_)); }

  void add(const std::string& prefix) {
    for (const auto& [name, tensor] : ours_.tensors) {
      file_.tensors.emplace(prefix + name, tensor);
    }
  }

  models::MobileNetV2 net_{{.classes = 4, .width = 0.1f, .last_channels = 24}};
  Checkpoint ours_, file_;
};

TEST_F(OddNames, UnknownOnesAreKept) {
  add("module.");
  file_.tensors.emplace("teacher.fc.weight", Tensor::zeros({2}));
  file_.tensors.emplace("module.features.1.conv.7.weight", Tensor::zeros({2}));
  const models::Renamed renamed = this->renamed();
  EXPECT_TRUE(renamed.remarks.empty());
  models::MobileNetV2 net(net_.options());
  test::expect_error(
      [&] { models::load(net, models::to_checkpoint(renamed.archive, "f"), "f"); },
      "load: f: tensors must be those of a MobileNetV2 of width 0.1 with 4 classes: extra "
      "module.features.1.conv.7.weight, teacher.fc.weight");
}

TEST_F(OddNames, OfTwoNetworksOneIsTaken) {
  add("model.");
  const Tensor other = Tensor::zeros({3});
  for (const auto& [name, tensor] : ours_.tensors) {
    file_.tensors.emplace("ema." + name, other);
    file_.tensors.emplace("optimizer.momentum." + name, other);
  }
  const models::Renamed renamed = this->renamed();
  EXPECT_EQ(renamed.prefix, "model.");
  EXPECT_EQ(renamed.archive.tensors.size(), ours_.tensors.size());
  EXPECT_EQ(
      renamed.remarks,
      (std::vector<std::string>{
          "A second network, 262 tensors under \"ema.\", is left out: that under \"model.\" is "
          "taken.",
          "A second network, 262 tensors under \"optimizer.momentum.\", is left out: that "
          "under \"model.\" is taken."}));
}

TEST_F(OddNames, CountersAndOptimizersAreLeftOut) {
  add("");
  file_.tensors.emplace("features.0.1.num_batches_tracked", Tensor::zeros({}));
  file_.tensors.emplace("optimizer.step", Tensor::zeros({}));
  const models::Renamed renamed = this->renamed();
  EXPECT_EQ(renamed.archive.tensors.size(), ours_.tensors.size());
  EXPECT_EQ(renamed.remarks, (std::vector<std::string>{"1 tensor of an optimizer left out."}));
}

TEST_F(OddNames, OfOtherNetworksAreLeftAlone) {
  file_.tensors.emplace("layer1.0.conv1.weight", Tensor::zeros({2}));
  file_.tensors.emplace("optimizer.step", Tensor::zeros({}));
  const models::Renamed renamed = this->renamed();
  EXPECT_EQ(renamed.naming, std::nullopt);
  EXPECT_EQ(renamed.archive.tensors.size(), 2u);
}

// A name of 50 MB takes no longer than its length.
TEST_F(OddNames, MayBeLong) {
  add("");
  file_.tensors.emplace(std::string(50'000'000, '.'), Tensor::zeros({}));
  EXPECT_EQ(renamed().archive.tensors.size(), ours_.tensors.size() + 1);
}

}  // namespace
}  // namespace lamina
