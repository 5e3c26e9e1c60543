#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "core/error.h"
#include "models/checkpoint/recognize.h"
#include "models/checkpoint/tflite.h"
#include "models/load.h"
#include "nn/plan.h"
#include "tests/support/folder.h"
#include "tests/support/npy.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// Real quantized networks on a hundred photos, against their integers as TensorFlow Lite computes
// them.
namespace lamina {
namespace {

using nlohmann::json;

constexpr std::size_t kClasses = 1001;  // the first is the background
constexpr std::size_t kPhotos = 100;

struct Photo {
  data::Image image;
  std::size_t label = 0;
};

// As they are stored: the reference did not turn them upright.
std::string without_exif(std::string jpeg) {
  const std::string marker("Exif\0\0", 6);
  for (std::size_t at; (at = jpeg.find(marker)) != std::string::npos;) {
    jpeg[at] = '-';
  }
  return jpeg;
}

const std::vector<Photo>& photos() {
  static const std::vector<Photo> kAll = [] {
    const auto folder = test::shared_data() / "imagenet";
    std::ifstream table(folder / "photos100.tsv");
    std::vector<Photo> all;
    std::string line;
    for (std::getline(table, line); std::getline(table, line);) {
      std::istringstream fields(line);
      std::size_t index = 0;
      std::string file;
      Photo photo;
      fields >> index >> file >> photo.label;
      const std::string jpeg = without_exif(test::read_file(folder / "photos" / file));
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(jpeg.data());
      photo.image = data::resize_and_crop(data::decode_image({bytes, jpeg.size()}, file), {});
      all.push_back(std::move(photo));
    }
    return all;
  }();
  return kAll;
}

struct Reference {
  const char* network;
  const char* operators;  // scales and zero points
  const char* layers;     // sums over the integers of every operator's result for one photo
  const char* logits;
  double least;             // of the integers
  std::size_t as_labelled;  // by them
  const char* name;
};

std::filesystem::path file(const char* name) { return test::shared_data() / "quantised" / name; }

json read_json(const char* name) {
  std::ifstream stream(file(name));
  return json::parse(stream);
}

// How far integers are from the numbers in their place, against the logits: each layer's result is
// rounded to steps s, an error of s / sqrt(12) against its root mean square. The layers' errors are
// independent and reach the logits about as the layers' values do.
double relative_error(const json& operators, const json& layers) {
  double sum = 0.0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string kind = operators[i]["kind"];
    if (kind == "SOFTMAX" || kind == "RESHAPE" || kind == "QUANTIZE") {
      continue;
    }
    const json result =
        operators[i].contains("output") ? operators[i]["output"] : operators[i]["outputs"][0];
    const double zero = result["zero_point"];
    double count = 1.0;
    for (const double extent : layers[i]["shape_hwc"]) {
      count *= extent;
    }
    const double mean = layers[i]["sum"].get<double>() / count;
    const double square = layers[i]["sumsq"].get<double>() / count - 2 * zero * mean + zero * zero;
    sum += 1.0 / 12.0 / square;
  }
  return std::sqrt(sum);
}

std::size_t largest(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

// The integers that the classifier gives, as numbers.
struct Logits {
  explicit Logits(const Reference& reference, const json& operators)
      : integers(test::read_npy(file(reference.logits))), least(reference.least) {
    for (const json& operation : operators) {
      if (operation.value("name", "") == "classifier.1") {
        scale = operation["output"]["scale"];
        zero = operation["output"]["zero_point"];
      }
    }
    for (double& value : integers.values) {
      value = (value - zero) * scale;
    }
  }

  std::span<const double> of(std::size_t photo) const {
    return std::span(integers.values).subspan(photo * kClasses, kClasses);
  }
  // The nearest number that integers can hold.
  double kept(double number) const {
    return std::clamp(number, (least - zero) * scale, (least + 255.0 - zero) * scale);
  }

  test::NpyArray integers;
  double least, scale = 0.0, zero = 0.0;
};

struct Score {
  std::size_t as_labelled = 0, integers_as_labelled = 0, agreeing = 0;
  double differences = 0.0, squares = 0.0;

  void count(std::span<const double> got, const Logits& logits, std::size_t photo) {
    const std::span<const double> want = logits.of(photo);
    const std::size_t label = photos()[photo].label + 1;
    as_labelled += largest(got) == label ? 1 : 0;
    integers_as_labelled += largest(want) == label ? 1 : 0;
    agreeing += largest(got) == largest(want) ? 1 : 0;
    for (std::size_t c = 0; c < kClasses; ++c) {
      const double difference = logits.kept(got[c]) - want[c];
      differences += difference * difference;
      squares += want[c] * want[c];
    }
  }
};

class TfliteOnPhotos : public testing::TestWithParam<Reference> {};

TEST_P(TfliteOnPhotos, NumbersAnswerAsTheIntegersDo) {
  LAMINA_NEEDS_SHARED_DATA();
  const models::GraphFile network = models::read_tflite(file(GetParam().network));
  const auto preprocessing = data::read_preprocessing(network.metadata);
  const models::Recognition recognition = models::recognize(network.graph);
  ASSERT_TRUE(preprocessing && recognition.network) << recognition.difference;
  EXPECT_TRUE(recognition.network->ends_with_softmax);
  models::MobileNetV2 net(recognition.network->options);
  models::load(net, recognition.network->checkpoint, "recognized");
  const nn::Plan plan = nn::compile(nn::trace(net, {1, 224, 224, 3}));
  const nn::Plan whole = nn::compile(network.graph);

  const json operators = read_json(GetParam().operators)["ops"];
  const Logits logits(GetParam(), operators);
  ASSERT_EQ(logits.integers.shape, (std::vector<std::size_t>{kPhotos, kClasses}));
  ASSERT_EQ(photos().size(), kPhotos);
  Score score;
  for (std::size_t i = 0; i < kPhotos; ++i) {
    const Tensor x = data::normalize(std::span(&photos()[i].image, 1), *preprocessing);
    const std::vector<double> got = test::doubles(plan(x));
    EXPECT_EQ(largest(test::doubles(whole(x))), largest(got));
    score.count(got, logits, i);
  }
  EXPECT_EQ(score.integers_as_labelled, GetParam().as_labelled);
  EXPECT_GE(score.as_labelled, GetParam().as_labelled);
  EXPECT_GE(score.agreeing, 98u);
  const double tolerance = relative_error(operators, read_json(GetParam().layers)["layers"]);
  EXPECT_LT(tolerance, 0.13);
  EXPECT_LE(std::sqrt(score.differences / score.squares), tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, TfliteOnPhotos,
    testing::Values(Reference{"tf2_mobilenet_v2_1.0_224_ptq.tflite", "quant_ptq_int8.json",
                              "int_layers_ptq_photo0.json", "int_logits_ptq_100x1001_int8.npy",
                              -128.0, 91, "ptq"},
                    Reference{"mobilenet_v2_1.0_224_quant.tflite", "quant_qat_uint8.json",
                              "int_layers_qat_photo0.json", "int_logits_qat_100x1001_uint8.npy",
                              0.0, 90, "qat"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(TfliteFiles, AreRecognizedWithTheirOptions) {
  LAMINA_NEEDS_SHARED_DATA();
  for (const char* name :
       {"tf2_mobilenet_v2_1.0_224_ptq.tflite", "mobilenet_v2_1.0_224_quant.tflite"}) {
    const models::GraphFile network = models::read_tflite(test::shared_data() / "quantised" / name);
    EXPECT_EQ(network.container, "TFLite (schema 3)");
    const models::Recognition recognition = models::recognize(network.graph);
    ASSERT_TRUE(recognition.network) << recognition.difference;
    EXPECT_EQ(recognition.network->options.width, 1.0f);
    EXPECT_EQ(recognition.network->options.classes, kClasses);
    EXPECT_EQ(recognition.network->options.padding, nn::PaddingMode::same);
    EXPECT_EQ(recognition.network->options.stride, 32u);
    EXPECT_EQ(recognition.network->activation.hi, 6.0f);
    EXPECT_EQ(recognition.network->norm, models::NormState::folded);
    EXPECT_TRUE(recognition.network->assumptions.empty());
  }
}

}  // namespace
}  // namespace lamina
