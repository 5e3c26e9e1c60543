#include <gtest/gtest.h>

#include "models/load.h"
#include "tests/models/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::Checkpoint;
using models::Classifier;
using models::MobileNetV2;

class ReadClassifier : public testing::Test {
 protected:
  ReadClassifier() {
    test::randomize(net_, 1);
    checkpoint_ = models::to_checkpoint(net_);
    data::store(preprocessing_, checkpoint_.metadata);
    checkpoint_.metadata["labels"] = "ant\nbee\ncat";
  }

  Classifier read() const {
    models::write_safetensors(path_, checkpoint_);
    return models::read_classifier(path_);
  }

  void expect_refused(const std::string& message) const {
    test::expect_error([&] { read(); }, "read_classifier: " + path_.string() + ": " + message);
  }

  const test::Folder folder_;
  const std::filesystem::path path_ = folder_ / "net.safetensors";
  const data::Preprocessing preprocessing_{.resize = 40, .crop = 36, .mean = {0.5f, 0.5f, 0.5f}};
  MobileNetV2 net_{{.classes = 3,
                    .width = 0.35f,
                    .padding = nn::PaddingMode::same,
                    .epsilon = 1e-3f,
                    .last_channels = 40,
                    .stride = 8}};
  Checkpoint checkpoint_;
};

TEST_F(ReadClassifier, RestoresEverything) {
  const Classifier read_back = read();
  EXPECT_TRUE(read_back.assumptions.empty());
  EXPECT_EQ(read_back.labels, (std::vector<std::string>{"ant", "bee", "cat"}));
  EXPECT_EQ(read_back.preprocessing, preprocessing_);
  const models::MobileNetV2Options& options = read_back.net->options();
  EXPECT_EQ(options.width, 0.35f);
  EXPECT_EQ(options.classes, 3u);
  EXPECT_EQ(options.last_channels, 40u);
  EXPECT_EQ(options.epsilon, 1e-3f);
  EXPECT_EQ(options.stride, 8u);
  const Tensor x = test::random_tensor({2, 36, 36, 3}, 1);
  EXPECT_TRUE(test::same_bits((*read_back.net)(x), net_(x)));
}

TEST_F(ReadClassifier, SaysWhatItAssumed) {
  checkpoint_.metadata.clear();
  const Classifier read_back = read();
  EXPECT_EQ(read_back.net->options().width, 0.35f);
  EXPECT_EQ(read_back.preprocessing, data::Preprocessing{});
  EXPECT_EQ(read_back.labels, (std::vector<std::string>{"class 0", "class 1", "class 2"}));
  const std::vector<std::string> want = {
      "The width is taken to be 0.35, which has the tensors' channels.",
      "Taken as in torchvision's model, whose names the tensors have: padding symmetric, batch "
      "norm's epsilon 1e-05, activation ReLU6.",
      "Preprocessing is taken to be torchvision's: bilinear resize to 256, crop 224, mean "
      "0.485,0.456,0.406, deviation 0.229,0.224,0.225.",
      "The classes have no names."};
  EXPECT_EQ(read_back.assumptions, want);
}

TEST_F(ReadClassifier, AssumesTensorflowsEpsilonWithItsPadding) {
  checkpoint_.metadata.erase("epsilon");
  EXPECT_EQ(read().net->options().epsilon, 1e-3f);
  EXPECT_EQ(read().assumptions,
            std::vector<std::string>{"Batch norm's epsilon is taken to be 0.001, as in "
                                     "TensorFlow's models, whose padding this is."});
}

TEST_F(ReadClassifier, TakesWhatTheNamesBelongTo) {
  const std::vector<std::string> timm = {
      "The width is taken to be 0.35, which has the tensors' channels.",
      "Taken as in timm's model, whose names the tensors have: padding symmetric, batch norm's "
      "epsilon 1e-05, activation ReLU6.",
      "Preprocessing is taken to be timm's: bicubic resize to 256, crop 224, mean "
      "0.485,0.456,0.406, deviation 0.229,0.224,0.225.",
      "The classes have no names."};
  checkpoint_.metadata.clear();
  const Checkpoint ours = checkpoint_;
  checkpoint_ = models::with_names(ours, models::Naming::timm);
  EXPECT_EQ(read().assumptions, timm);
  checkpoint_ = models::with_names(ours, models::Naming::transformers);
  const Classifier transformers = read();
  EXPECT_EQ(transformers.assumptions[1],
            "Taken as in Hugging Face's model, whose names the tensors have: padding same, batch "
            "norm's epsilon 0.001, activation ReLU6.");
  EXPECT_EQ(transformers.assumptions[2],
            "Preprocessing is taken to be Hugging Face's: bilinear resize to 256, crop 224, mean "
            "0.5,0.5,0.5, deviation 0.5,0.5,0.5.");
  EXPECT_EQ(transformers.net->options().padding, nn::PaddingMode::same);
  EXPECT_EQ(transformers.net->options().epsilon, 1e-3f);
}

TEST_F(ReadClassifier, TakesWhatItIsTold) {
  checkpoint_.metadata.clear();
  models::write_safetensors(path_, checkpoint_);
  const Classifier told = models::read_classifier(
      path_, {.padding = nn::PaddingMode::same,
              .epsilon = 0.25f,
              .activation = models::Activation::relu,
              .preprocessing = models::find_preprocessing("torchvision-v2")});
  EXPECT_EQ(told.assumptions, (std::vector<std::string>{
                                  "The width is taken to be 0.35, which has the tensors' channels.",
                                  "The classes have no names."}));
  EXPECT_EQ(told.net->options().padding, nn::PaddingMode::same);
  EXPECT_EQ(told.net->options().epsilon, 0.25f);
  EXPECT_EQ(told.net->options().activation, models::Activation::relu);
  EXPECT_EQ(told.preprocessing.resize, 232u);
}

TEST_F(ReadClassifier, KeepsRelu) {
  MobileNetV2 net({.classes = 3, .width = 0.1f, .activation = models::Activation::relu});
  test::randomize(net, 1);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    if (tensor.name == "features.18.1.bias") {
      for (float& value : tensor.value->values()) {
        value = 100.0f;  // activations pass six
      }
    }
  }
  models::save(net, {.resize = 32, .crop = 32}, path_);
  const Classifier read_back = models::read_classifier(path_);
  const Tensor x = test::random_tensor({1, 32, 32, 3}, 1);
  EXPECT_TRUE(test::same_bits((*read_back.net)(x), net(x)));
  const Classifier relu6 =
      models::read_classifier(path_, {.activation = models::Activation::relu6});
  EXPECT_FALSE(test::same_bits((*relu6.net)(x), net(x)));
}

// The first convolution of some networks has 32 channels whatever the width.
TEST_F(ReadClassifier, FindsAnotherFirstConvolution) {
  MobileNetV2 net({.classes = 3, .width = 0.5f, .first_channels = 32});
  Checkpoint checkpoint = models::to_checkpoint(net);
  checkpoint.metadata.clear();
  models::write_safetensors(path_, checkpoint);
  const models::MobileNetV2Options options = models::read_classifier(path_).net->options();
  EXPECT_EQ(options.width, 0.5f);
  EXPECT_EQ(options.first_channels, 32u);
}

TEST_F(ReadClassifier, FindsUncommonWidths) {
  for (const float width : {0.1f, 0.62f, 1.4f}) {
    MobileNetV2 net({.classes = 2, .width = width, .last_channels = 16});
    Checkpoint checkpoint = models::to_checkpoint(net);
    checkpoint.metadata.erase("width_mult");
    models::write_safetensors(path_, checkpoint);
    const Classifier read_back = models::read_classifier(path_);
    const models::MobileNetV2Options options = read_back.net->options();
    EXPECT_EQ(models::channels_for(options), models::channels_for(net.options()));
  }
}

TEST_F(ReadClassifier, FindsTheMultiple) {
  MobileNetV2 net({.classes = 2, .width = 0.1f, .round_to = 4});
  Checkpoint checkpoint = models::to_checkpoint(net);
  checkpoint.metadata.clear();
  models::write_safetensors(path_, checkpoint);
  EXPECT_EQ(models::read_classifier(path_).net->options().round_to, 4u);
}

TEST_F(ReadClassifier, RefusesAnotherWidth) {
  checkpoint_.metadata["width_mult"] = "1.0";
  expect_refused(
      "width_mult must be that of the tensors: width 1 has channels 32 16 24 32 64 96 160 320 40, "
      "the tensors 16 8 8 16 24 32 56 112 40");
}

TEST_F(ReadClassifier, RefusesMalformedMetadata) {
  const auto with = [&](const std::string& key, const std::string& value,
                        const std::string& message) {
    const Checkpoint before = checkpoint_;
    checkpoint_.metadata[key] = value;
    expect_refused(message);
    checkpoint_ = before;
  };
  with("arch", "resnet18", "arch must be mobilenet_v2: got \"resnet18\"");
  with("width_mult", "wide", "width_mult must be a number: got \"wide\"");
  with("width_mult", "1.0x", "width_mult must be a number: got \"1.0x\"");
  with("num_classes", "4",
       "num_classes must be that of the classifier: num_classes is 4, classifier.1.bias has 3");
  with("padding", "valid", "padding must be same_tf or symmetric: got \"valid\"");
  with("activation", "swish", "activation must be relu or relu6: got \"swish\"");
  with("epsilon", "-1", "epsilon must be above 0 and finite: got -1");
  with("bn", "folded", "bn must describe the tensors: got \"folded\", the tensors have batch norm");
  with("labels", "ant\nbee", "labels must have a line for each class: it has 2, the classes are 3");
}

TEST_F(ReadClassifier, RefusesOtherNetworks) {
  const auto set = [&](const std::string& name, const Shape& shape) {
    checkpoint_.tensors[name] = Tensor::zeros(shape);
  };
  const Checkpoint before = checkpoint_;
  checkpoint_.tensors.erase("features.0.0.weight");
  expect_refused("must hold a MobileNetV2: it has no tensor features.0.0.weight");
  checkpoint_ = before;
  set("features.2.conv.2.weight", {8, 49, 1, 1});
  expect_refused(
      "must hold a MobileNetV2: features.2.conv.2.weight takes 49 channels, the block's input has "
      "8 x 6");
  checkpoint_ = before;
  set("features.18.0.weight", {40});
  expect_refused("must hold a MobileNetV2: features.18.0.weight is [40]");
  checkpoint_ = before;
  set("features.18.0.weight", {40, 1, 1, 1});
  expect_refused(
      "must hold a MobileNetV2: features.18.0.weight takes 1 channels, its input has 112");
  checkpoint_ = before;
  set("classifier.1.weight", {3, 41});
  expect_refused(
      "must hold a MobileNetV2: classifier.1.weight is [3, 41], the tensors around it need [3, "
      "40]");
  checkpoint_ = before;
  checkpoint_.metadata.erase("width_mult");
  set("features.0.0.weight", {16000, 3, 3, 3});
  set("features.1.conv.1.weight", {8, 16000, 1, 1});
  expect_refused("must have the channels of some width: no width has 16000 8 8 16 24 32 56 112 40");
}

}  // namespace
}  // namespace lamina
