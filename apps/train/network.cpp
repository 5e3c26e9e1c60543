#include "apps/train/network.h"

#include <algorithm>
#include <optional>

#include "apps/train/ingredients.h"
#include "core/error.h"
#include "core/random.h"
#include "models/model_file.h"
#include "nn/init.h"
#include "nn/state.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kUsualResolution = 224;
constexpr std::size_t kSmallResolution = 96;  // below, nothing is cropped off
constexpr std::size_t kTinyResolution = 48;

std::size_t own_resolution(const data::Dataset& pictures) {
  const data::Image first = pictures.image(0);
  const std::size_t side = std::min(first.height, first.width);
  return side < kSmallResolution ? side : kUsualResolution;
}

void resolve(Recipe& recipe, const data::Dataset& pictures, const models::Classifier* from) {
  if (recipe.width == 0.0) {
    recipe.width = from != nullptr ? static_cast<double>(from->net->options().width) : 1.0;
  }
  if (recipe.resolution == 0) {
    recipe.resolution = from != nullptr ? from->preprocessing.crop : own_resolution(pictures);
  }
  const std::size_t side = recipe.resolution;
  if (recipe.stride == 0) {
    recipe.stride = from != nullptr           ? from->net->options().stride
                    : side < kTinyResolution  ? 8
                    : side < kSmallResolution ? 16
                                              : 32;
  }
  if (recipe.resize == 0) {
    recipe.resize = from != nullptr && from->preprocessing.crop == side ? from->preprocessing.resize
                    : side < kSmallResolution                           ? side
                                                                        : side * 8 / 7;
  }
}

void check_resolution(const Recipe& recipe) {
  check(recipe.resolution >= recipe.stride, "resolution: must be at least the stride, ",
        recipe.stride, " pixels: got ", recipe.resolution);
  check(recipe.resize >= recipe.resolution, "resize: must be at least the resolution, ",
        recipe.resolution, ": got ", recipe.resize);
}

void initialize(nn::Module& net, const Recipe& recipe) {
  Rng rng(recipe.seed);
  if (recipe.initialization == "truncated-normal") {
    nn::init_truncated_normal(net, rng);
  } else {
    nn::init_kaiming(net, rng);
  }
}

// All but a head of another number of classes.
void copy_weights(models::MobileNetV2& from, models::MobileNetV2& to) {
  const nn::StateDict state = nn::state_dict(from);
  if (std::ranges::none_of(
          state, [](const auto& entry) { return entry.first.ends_with(".running_var"); })) {
    nn::fold_batch_norm(to);
  }
  const bool keeps_head = from.options().classes == to.options().classes;
  for (const nn::NamedTensor& tensor : nn::named_tensors(to)) {
    if (keeps_head || !tensor.name.starts_with("classifier.")) {
      std::ranges::copy(state.at(tensor.name).values(), tensor.value->data());
    }
  }
}

models::MobileNetV2Options options_of(const Recipe& recipe, const data::Dataset& pictures,
                                      const models::Classifier* from) {
  models::MobileNetV2Options options;
  if (from != nullptr) {
    options = from->net->options();
    check(static_cast<float>(recipe.width) == options.width,
          "width: must be that of the weights to start from: it is ", recipe.width, ", that of ",
          recipe.init, " is ", options.width);
  }
  options.width = static_cast<float>(recipe.width);
  options.classes = pictures.classes();
  options.dropout = static_cast<float>(recipe.dropout);
  options.stride = recipe.stride;
  return options;
}

// Stage 0 is the first convolution, stages 1 to 7 the rows of the paper's table.
void freeze(models::MobileNetV2& net, const std::string& what) {
  if (what == "none") {
    return;
  }
  std::size_t last = net.blocks().size() + 1;
  if (what != "backbone") {
    last = 0;
    for (std::size_t stage = 0; stage < std::stoul(what); ++stage) {
      last += models::kStages[stage].repeats;
    }
  }
  nn::for_each_module(net, [last](const std::string& name, nn::Module& part) {
    for (std::size_t i = 0; i <= last; ++i) {
      if (name == text("features.", i)) {
        part.freeze();
      }
    }
  });
}

}  // namespace

NewNetwork make_network(Recipe& recipe, const data::Dataset& pictures) {
  std::optional<models::Classifier> from;
  if (!recipe.init.empty()) {
    from = models::read_any_classifier(recipe.init);
  }
  const models::Classifier* start = from ? &*from : nullptr;
  resolve(recipe, pictures, start);
  check_resolution(recipe);
  NewNetwork made;
  made.net = std::make_unique<models::MobileNetV2>(options_of(recipe, pictures, start));
  initialize(*made.net, recipe);
  if (from) {
    copy_weights(*from->net, *made.net);
    made.remarks = from->assumptions;
  }
  made.preprocessing = preprocessing_of(recipe, from ? from->preprocessing : data::Preprocessing{});
  freeze(*made.net, recipe.freeze);
  return made;
}

}  // namespace lamina::apps
