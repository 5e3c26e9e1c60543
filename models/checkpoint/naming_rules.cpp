#include "models/checkpoint/naming_rules.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "models/mobilenet_v2.h"

namespace lamina::models {
namespace {

// {block} counts the blocks from 1, {after} those after the first from 1, {layer} the same from 0,
// {stage} the rows of the paper's table from 0, {row} from 1, and {i} the blocks of a row from 0.
struct Pattern {
  std::string_view convolution, norm;
};

// What a layer's tensors are called.
struct Leaves {
  std::string_view weight, depthwise_weight, bias;
  std::array<std::string_view, 4> norm;
  Turn convolution, depthwise, classifier;
};

constexpr Leaves kPyTorch = {
    ".weight",  ".weight",  ".bias",   {".weight", ".bias", ".running_mean", ".running_var"},
    Turn::none, Turn::none, Turn::none};
constexpr Leaves kKeras = {"/kernel",       "/depthwise_kernel",
                           "/bias",         {"/gamma", "/beta", "/moving_mean", "/moving_variance"},
                           Turn::hwio,      Turn::hwoi,
                           Turn::classifier};
constexpr Leaves kSlim = {"/weights",      "/depthwise_weights",
                          "/biases",       {"/gamma", "/beta", "/moving_mean", "/moving_variance"},
                          Turn::hwio,      Turn::hwoi,
                          Turn::classifier};

struct Rules {
  Naming naming;
  std::string_view name;
  const Leaves* leaves;
  Pattern stem;
  std::array<Pattern, 2> first;  // the first block: depthwise, project
  std::array<Pattern, 3> block;  // the others: expand, depthwise, project
  Pattern last;
  std::array<std::string_view, 2> classifier;  // the second one is an older or newer name
};

constexpr std::array<Rules, 8> kRules = {{
    {Naming::torchvision,
     "torchvision",
     &kPyTorch,
     {"features.0.0", "features.0.1"},
     {{{"features.1.conv.0.0", "features.1.conv.0.1"}, {"features.1.conv.1", "features.1.conv.2"}}},
     {{{"features.{block}.conv.0.0", "features.{block}.conv.0.1"},
       {"features.{block}.conv.1.0", "features.{block}.conv.1.1"},
       {"features.{block}.conv.2", "features.{block}.conv.3"}}},
     {"features.18.0", "features.18.1"},
     {"classifier.1", ""}},
    {Naming::mmcls,
     "mmcls",
     &kPyTorch,
     {"backbone.conv1.conv", "backbone.conv1.bn"},
     {{{"backbone.layer1.0.conv.0.conv", "backbone.layer1.0.conv.0.bn"},
       {"backbone.layer1.0.conv.1.conv", "backbone.layer1.0.conv.1.bn"}}},
     {{{"backbone.layer{row}.{i}.conv.0.conv", "backbone.layer{row}.{i}.conv.0.bn"},
       {"backbone.layer{row}.{i}.conv.1.conv", "backbone.layer{row}.{i}.conv.1.bn"},
       {"backbone.layer{row}.{i}.conv.2.conv", "backbone.layer{row}.{i}.conv.2.bn"}}},
     {"backbone.conv2.conv", "backbone.conv2.bn"},
     {"head.fc", ""}},
    {Naming::tonylins,
     "tonylins",
     &kPyTorch,
     {"features.0.0", "features.0.1"},
     {{{"features.1.conv.0", "features.1.conv.1"}, {"features.1.conv.3", "features.1.conv.4"}}},
     {{{"features.{block}.conv.0", "features.{block}.conv.1"},
       {"features.{block}.conv.3", "features.{block}.conv.4"},
       {"features.{block}.conv.6", "features.{block}.conv.7"}}},
     {"features.18.0", "features.18.1"},
     {"classifier", "classifier.1"}},
    {Naming::d_li14,
     "d-li14",
     &kPyTorch,
     {"features.0.0", "features.0.1"},
     {{{"features.1.conv.0", "features.1.conv.1"}, {"features.1.conv.3", "features.1.conv.4"}}},
     {{{"features.{block}.conv.0", "features.{block}.conv.1"},
       {"features.{block}.conv.3", "features.{block}.conv.4"},
       {"features.{block}.conv.6", "features.{block}.conv.7"}}},
     {"conv.0", "conv.1"},
     {"classifier", ""}},
    {Naming::timm,
     "timm",
     &kPyTorch,
     {"conv_stem", "bn1"},
     {{{"blocks.0.0.conv_dw", "blocks.0.0.bn1"}, {"blocks.0.0.conv_pw", "blocks.0.0.bn2"}}},
     {{{"blocks.{stage}.{i}.conv_pw", "blocks.{stage}.{i}.bn1"},
       {"blocks.{stage}.{i}.conv_dw", "blocks.{stage}.{i}.bn2"},
       {"blocks.{stage}.{i}.conv_pwl", "blocks.{stage}.{i}.bn3"}}},
     {"conv_head", "bn2"},
     {"classifier", ""}},
    {Naming::transformers,
     "transformers",
     &kPyTorch,
     {"mobilenet_v2.conv_stem.first_conv.convolution",
      "mobilenet_v2.conv_stem.first_conv.normalization"},
     {{{"mobilenet_v2.conv_stem.conv_3x3.convolution",
        "mobilenet_v2.conv_stem.conv_3x3.normalization"},
       {"mobilenet_v2.conv_stem.reduce_1x1.convolution",
        "mobilenet_v2.conv_stem.reduce_1x1.normalization"}}},
     {{{"mobilenet_v2.layer.{layer}.expand_1x1.convolution",
        "mobilenet_v2.layer.{layer}.expand_1x1.normalization"},
       {"mobilenet_v2.layer.{layer}.conv_3x3.convolution",
        "mobilenet_v2.layer.{layer}.conv_3x3.normalization"},
       {"mobilenet_v2.layer.{layer}.reduce_1x1.convolution",
        "mobilenet_v2.layer.{layer}.reduce_1x1.normalization"}}},
     {"mobilenet_v2.conv_1x1.convolution", "mobilenet_v2.conv_1x1.normalization"},
     {"classifier", ""}},
    {Naming::keras,
     "keras",
     &kKeras,
     {"Conv1", "bn_Conv1"},
     {{{"expanded_conv_depthwise", "expanded_conv_depthwise_BN"},
       {"expanded_conv_project", "expanded_conv_project_BN"}}},
     {{{"block_{after}_expand", "block_{after}_expand_BN"},
       {"block_{after}_depthwise", "block_{after}_depthwise_BN"},
       {"block_{after}_project", "block_{after}_project_BN"}}},
     {"Conv_1", "Conv_1_bn"},
     {"Logits", "predictions"}},
    {Naming::tf_slim,
     "tf-slim",
     &kSlim,
     {"MobilenetV2/Conv", "MobilenetV2/Conv/BatchNorm"},
     {{{"MobilenetV2/expanded_conv/depthwise", "MobilenetV2/expanded_conv/depthwise/BatchNorm"},
       {"MobilenetV2/expanded_conv/project", "MobilenetV2/expanded_conv/project/BatchNorm"}}},
     {{{"MobilenetV2/expanded_conv_{after}/expand",
        "MobilenetV2/expanded_conv_{after}/expand/BatchNorm"},
       {"MobilenetV2/expanded_conv_{after}/depthwise",
        "MobilenetV2/expanded_conv_{after}/depthwise/BatchNorm"},
       {"MobilenetV2/expanded_conv_{after}/project",
        "MobilenetV2/expanded_conv_{after}/project/BatchNorm"}}},
     {"MobilenetV2/Conv_1", "MobilenetV2/Conv_1/BatchNorm"},
     {"MobilenetV2/Logits/Conv2d_1c_1x1", ""}},
}};

const Rules& rules_of(Naming naming) { return *std::ranges::find(kRules, naming, &Rules::naming); }

struct Place {
  std::size_t block, stage, repeat;
};

std::string filled(std::string_view pattern, const Place& place) {
  const std::array<std::pair<std::string_view, std::size_t>, 6> values = {
      {{"{block}", place.block},
       {"{after}", place.block - 1},
       {"{layer}", place.block - 2},
       {"{stage}", place.stage},
       {"{row}", place.stage + 1},
       {"{i}", place.repeat}}};
  std::string name(pattern);
  for (const auto& [key, value] : values) {
    if (const std::size_t at = name.find(key); at != std::string::npos) {
      name.replace(at, key.size(), std::to_string(value));
    }
  }
  return name;
}

LayerNames filled(const Pattern& pattern, const Place& place) {
  return {filled(pattern.convolution, place), filled(pattern.norm, place)};
}

}  // namespace

std::span<const Naming> all_namings() {
  static constexpr auto kNamings = [] {
    std::array<Naming, kRules.size()> namings{};
    std::ranges::transform(kRules, namings.begin(), &Rules::naming);
    return namings;
  }();
  return kNamings;
}

std::string_view name_of(Naming naming) { return rules_of(naming).name; }

std::optional<Naming> find_naming(std::string_view name) {
  const auto* found = std::ranges::find(kRules, name, &Rules::name);
  return found == kRules.end() ? std::nullopt : std::optional(found->naming);
}

std::vector<LayerNames> layer_names(Naming naming) {
  const Rules& rules = rules_of(naming);
  std::vector<LayerNames> names = {filled(rules.stem, {})};
  std::size_t block = 1;
  for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
    for (std::size_t repeat = 0; repeat < kStages[stage].repeats; ++repeat, ++block) {
      const std::span<const Pattern> parts =
          block == 1 ? std::span<const Pattern>(rules.first) : rules.block;
      for (const Pattern& part : parts) {
        names.push_back(filled(part, {block, stage, repeat}));
      }
    }
  }
  names.push_back(filled(rules.last, {}));
  names.push_back({std::string(rules.classifier[0]), ""});
  return names;
}

namespace {

constexpr std::string_view kCounter = ".num_batches_tracked";

bool is_depthwise(std::size_t layer) {
  return layer == 1 || (layer > 2 && layer < 51 && layer % 3 == 1);
}

}  // namespace

std::map<std::string, Target, std::less<>> targets_of(Naming naming) {
  const Rules& rules = rules_of(naming);
  const Leaves& leaves = *rules.leaves;
  const std::vector<LayerNames> theirs = layer_names(naming);
  const std::vector<LayerNames> ours = layer_names(Naming::torchvision);
  std::map<std::string, Target, std::less<>> targets;
  for (std::size_t i = 0; i + 1 < theirs.size(); ++i) {
    const std::string_view weight = is_depthwise(i) ? leaves.depthwise_weight : leaves.weight;
    targets[text(theirs[i].convolution, weight)] = {
        .name = text(ours[i].convolution, kPyTorch.weight),
        .turn = is_depthwise(i) ? leaves.depthwise : leaves.convolution,
        .is_convolution = true};
    targets[text(theirs[i].convolution, leaves.bias)] = {text(ours[i].convolution, kPyTorch.bias)};
    for (std::size_t leaf = 0; leaf < leaves.norm.size(); ++leaf) {
      targets[text(theirs[i].norm, leaves.norm[leaf])] = {text(ours[i].norm, kPyTorch.norm[leaf])};
    }
    targets[text(theirs[i].norm, kCounter)] = {};
  }
  for (const std::string_view classifier : rules.classifier) {
    if (!classifier.empty()) {
      targets[text(classifier, leaves.weight)] = {
          .name = text(ours.back().convolution, kPyTorch.weight), .turn = leaves.classifier};
      targets[text(classifier, leaves.bias)] = {text(ours.back().convolution, kPyTorch.bias)};
    }
  }
  return targets;
}

}  // namespace lamina::models
