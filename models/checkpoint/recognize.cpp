#include "models/checkpoint/recognize.h"

#include <utility>

#include "core/error.h"
#include "models/checkpoint/recognize_layers.h"

namespace lamina::models {
namespace {

class Recognizer {
 public:
  explicit Recognizer(const nn::Graph& graph) : walk_(graph), layers_(walk_, result_) {}

  Recognized run() {
    const Shape& input = walk_.shape(0);
    check(input.rank() == 4 && input[3] == 3, "the input is ", input,
          ", MobileNetV2 takes [N, H, W, 3]");
    const GraphLayer stem = layers_.next(0, {.kernel = 3, .stride = {}});
    count_stride(stem);
    channels_ = text(walk_.shape(stem.output)[3]);
    std::size_t at = add_stages(stem.output);
    at = layers_.next(at, {}).output;
    channels_ += text(' ', walk_.shape(at)[3]);
    at = add_classifier(at);
    check(at == walk_.graph().output,
          "the classifier is not the end, MobileNetV2 has nothing after it");
    complete();
    return std::move(result_);
  }

 private:
  static std::size_t stride_of(const GraphLayer& layer) {
    return layer.convolution->options.stride.h;
  }

  std::size_t add_stages(std::size_t at) {
    std::size_t block = 1;
    for (std::size_t i = 0; i < kStages.size(); ++i) {
      std::optional<std::size_t> channels;
      for (std::size_t repeat = 0; repeat < kStages[i].repeats; ++repeat, ++block) {
        const bool is_free = (i == 1 || i == 2) && repeat == 0 && keeps_pixels_;
        const std::size_t stride = repeat == 0 ? kStages[i].stride : 1;
        at = add_block(at, text("features.", block), kStages[i].expansion,
                       is_free ? std::nullopt : std::optional(stride), channels);
        channels = walk_.shape(at)[3];
      }
      channels_ += text(' ', *channels);
    }
    return at;
  }

  // Only the first layers that could have stride 2 may have 1, up to the second stage after the
  // first: see MobileNetV2Options::stride.
  void count_stride(const GraphLayer& layer) {
    keeps_pixels_ = keeps_pixels_ && stride_of(layer) == 1;
    stride_ /= keeps_pixels_ ? 2 : 1;
  }

  // Returns the last node.
  std::size_t add_block(std::size_t input, const std::string& name, std::size_t expansion,
                        std::optional<std::size_t> stride, std::optional<std::size_t> channels) {
    const std::size_t in = walk_.shape(input)[3];
    const std::size_t hidden = in * expansion;
    const std::size_t expanded =
        expansion == 1 ? input : layers_.next(input, {.channels = hidden}).output;
    const GraphLayer filter = layers_.next(
        expanded, {.kernel = 3, .stride = stride, .channels = hidden, .is_depthwise = true});
    const std::size_t output =
        layers_.next(filter.output, {.channels = channels, .has_activation = false}).output;
    const bool adds = stride_of(filter) == 1 && walk_.shape(output)[3] == in;
    const auto sum = walk_.sum_of(input, output);
    check(sum.has_value() == adds, name,
          adds ? " does not add its input, MobileNetV2 does"
               : " adds its input, MobileNetV2 does not");
    const std::size_t readers = adds ? 2 : 1;
    check(walk_.readers(input).size() == readers, name, " has an input that ",
          walk_.readers(input).size(), " operations take, MobileNetV2 has ", readers);
    if (!stride) {
      count_stride(filter);
    }
    return sum.value_or(output);
  }

  // Returns the last node.
  std::size_t add_classifier(std::size_t at) {
    check(walk_.only_reader<nn::PoolNode>(at) != nullptr,
          "features.18.0 is not followed by an average over all pixels, as in MobileNetV2");
    at = walk_.readers(at)[0];
    const auto* linear = walk_.only_reader<nn::LinearNode>(at);
    check(linear != nullptr, "the pool is not followed by a linear layer, as in MobileNetV2");
    const auto& [weight, bias] = *linear;
    const std::size_t classes = weight.shape()[0];
    auto& tensors = result_.checkpoint.tensors;
    tensors["classifier.1.weight"] = weight;
    tensors["classifier.1.bias"] = bias.empty() ? Tensor::zeros({classes}) : bias;
    at = walk_.readers(at)[0];
    result_.ends_with_softmax = walk_.only_reader<nn::SoftmaxNode>(at) != nullptr;
    return result_.ends_with_softmax ? walk_.readers(at)[0] : at;
  }

  void complete() {
    MobileNetV2Options& options = result_.options;
    if (layers_.may_be_same() && layers_.may_be_symmetric()) {
      result_.assumptions.push_back(text("Padding is taken to be symmetric: at ", walk_.shape(0)[1],
                                         " x ", walk_.shape(0)[2],
                                         " pixels TensorFlow's is the same."));
    }
    const bool symmetric = layers_.may_be_symmetric();
    if (result_.norm == NormState::folded) {
      options.epsilon = symmetric ? 1e-5f : 1e-3f;
    }
    Checkpoint& checkpoint = result_.checkpoint;
    models::store({.padding = symmetric ? nn::PaddingMode::symmetric : nn::PaddingMode::same,
                   .epsilon = options.epsilon,
                   .stride = stride_},
                  result_.norm, checkpoint.metadata);
    for (const char* counted : {"width_mult", "round_to", "num_classes"}) {
      checkpoint.metadata.erase(counted);
    }
    std::vector<std::string> said;  // the width, which the channels tell
    try {
      options = read_options(checkpoint, "graph", said);
    } catch (const Error&) {
      throw Error("the channels " + channels_ + " are those of no width");
    }
    models::store(options, result_.norm, checkpoint.metadata);
  }

  GraphWalk walk_;
  Recognized result_;
  LayerReader layers_;
  std::string channels_;      // of the first convolution, the stages and the last one, for people
  bool keeps_pixels_ = true;  // so far
  std::size_t stride_ = 32;
};

}  // namespace

Recognition recognize(const nn::Graph& graph) {
  check(!graph.nodes.empty() && graph.output < graph.nodes.size(),
        "recognize: the graph has no output");
  try {
    return {.network = Recognizer(graph).run(), .difference = {}};
  } catch (const Error& difference) {
    return {.network = {}, .difference = difference.what()};
  }
}

}  // namespace lamina::models
