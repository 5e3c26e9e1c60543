#include "models/checkpoint/names.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>

#include "models/load.h"
#include "tests/models/naming_samples.h"
#include "tests/models/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::Checkpoint;
using models::Naming;

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
  const Checkpoint file = test::theirs(ours_, GetParam());
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
      models::with_our_names(test::to_archive(test::theirs(folded, GetParam())));
  EXPECT_EQ(renamed.naming, GetParam());
  expect_ours(renamed, folded);
}

TEST_P(Names, MayHaveAPrefix) {
  for (const std::string prefix : {"module.", "model.", "state_dict.module."}) {
    Checkpoint file;
    for (const auto& [name, tensor] : test::theirs(ours_, GetParam()).tensors) {
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
  const Checkpoint want = test::theirs(ours_, GetParam());
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
