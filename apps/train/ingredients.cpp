#include "apps/train/ingredients.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "apps/support/exit_code.h"
#include "core/error.h"
#include "models/mobilenet_v2.h"

namespace lamina::apps {
namespace {

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    items.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

float number(const std::string& name, const std::string& value) {
  float number = 0.0f;
  const char* end = value.data() + value.size();
  const auto [stop, failure] = std::from_chars(value.data(), end, number);
  check(failure == std::errc{} && stop == end && std::isfinite(number), name,
        ": must be a number: got '", value, "'");
  return number;
}

void augment(data::Augmentation& augmentation, const std::string& name, float value) {
  const auto crop = [&]() -> data::RandomResizedCrop& {
    return augmentation.crop ? *augmentation.crop : augmentation.crop.emplace();
  };
  if (name == "crop") {
    crop().min_scale = value;
  } else if (name == "crop-ratio") {
    crop().min_ratio = value;
    crop().max_ratio = 1.0f / value;
  } else if (name == "shift") {
    check(value >= 0.0f && value <= 4096.0f && value == std::floor(value),
          "augment: shift must be a whole number from 0 to 4096: got ", value);
    augmentation.shift = static_cast<std::size_t>(value);
  } else {
    const std::map<std::string, float*> plain = {{"flip", &augmentation.flip},
                                                 {"trivial", &augmentation.trivial},
                                                 {"brightness", &augmentation.jitter.brightness},
                                                 {"contrast", &augmentation.jitter.contrast},
                                                 {"saturation", &augmentation.jitter.saturation},
                                                 {"hue", &augmentation.jitter.hue},
                                                 {"erasing", &augmentation.erasing.probability}};
    const auto found = plain.find(name);
    check(found != plain.end(),
          "augment: must be of crop, crop-ratio, flip, shift, brightness, contrast, saturation, "
          "hue, trivial and erasing, each with = and a number: got '",
          name, "'");
    *found->second = value;
  }
}

std::array<float, 3> channels(const char* name, const std::string& list) {
  const std::vector<std::string> items = split(list);
  check(items.size() == 1 || items.size() == 3, name, ": must be one number or three: got '", list,
        "'");
  std::array<float, 3> values{};
  for (std::size_t c = 0; c < 3; ++c) {
    values[c] = number(name, items[items.size() == 3 ? c : 0]);
  }
  return values;
}

nn::DecayOn decay_on(const Recipe& recipe) {
  return recipe.decay_on == "weights" ? nn::DecayOn::weights : nn::DecayOn::all;
}

nn::ScheduleKind schedule_kind(const Recipe& recipe) {
  static const std::map<std::string, nn::ScheduleKind> kKinds = {
      {"constant", nn::ScheduleKind::constant},
      {"step", nn::ScheduleKind::step},
      {"exponential", nn::ScheduleKind::exponential},
      {"cosine", nn::ScheduleKind::cosine},
      {"one-cycle", nn::ScheduleKind::one_cycle}};
  return kKinds.at(recipe.schedule);
}

void check_warmup(const Recipe& recipe, std::size_t steps_per_epoch) {
  check(recipe.warmup < static_cast<double>(recipe.epochs),
        "warmup: must be below epochs, so that training goes on after it: warmup is ",
        recipe.warmup, ", epochs is ", recipe.epochs);
  const double steps = std::round(recipe.warmup * static_cast<double>(steps_per_epoch));
  check(steps < static_cast<double>(recipe.epochs * steps_per_epoch),
        "warmup: must leave a step of training: ", recipe.warmup, " epochs of ", steps_per_epoch,
        " steps are ", steps, ", all of them");
}

}  // namespace

data::Augmentation augmentation_of(const Recipe& recipe) {
  data::Augmentation augmentation;
  if (recipe.augment != "none" && !recipe.augment.empty()) {
    for (const std::string& item : split(recipe.augment)) {
      const std::size_t sign = item.find('=');
      const std::string value = sign == item.npos ? "" : item.substr(sign + 1);
      augment(augmentation, item.substr(0, sign), number("augment: " + item, value));
    }
  }
  data::check_augmentation(augmentation);
  return augmentation;
}

data::Mix mix_of(const Recipe& recipe) {
  const data::Mix mix = {.mixup = static_cast<float>(recipe.mixup),
                         .cutmix = static_cast<float>(recipe.cutmix),
                         .probability = static_cast<float>(recipe.mix_probability)};
  data::check_mix(mix);
  return mix;
}

data::Preprocessing preprocessing_of(const Recipe& recipe, const data::Preprocessing& base) {
  data::Preprocessing preprocessing = base;
  preprocessing.resize = recipe.resize;
  preprocessing.crop = recipe.resolution;
  if (!recipe.mean.empty()) {
    preprocessing.mean = channels("mean", recipe.mean);
  }
  if (!recipe.std.empty()) {
    preprocessing.std = channels("std", recipe.std);
  }
  for (const float deviation : preprocessing.std) {
    check(deviation > 0.0f, "std: must be above 0: got ", deviation);
  }
  return preprocessing;
}

nn::Schedule schedule_of(const Recipe& recipe, std::size_t steps_per_epoch) {
  check_warmup(recipe, steps_per_epoch);
  return nn::Schedule({.kind = schedule_kind(recipe),
                       .rate = recipe.rate,
                       .warmup_epochs = recipe.warmup,
                       .step_factor = recipe.step_factor,
                       .step_epochs = recipe.step_epochs,
                       .epoch_factor = recipe.epoch_factor,
                       .final_rate = recipe.final_rate},
                      {.epochs = recipe.epochs, .steps_per_epoch = steps_per_epoch});
}

std::unique_ptr<nn::Optimizer> optimizer_of(const Recipe& recipe,
                                            std::vector<nn::NamedTensor> parameters) {
  if (recipe.optimizer == "rmsprop") {
    return std::make_unique<nn::RmsProp>(
        std::move(parameters),
        nn::RmsPropOptions{.rate = recipe.rate,
                           .decay = recipe.rms_decay,
                           .momentum = recipe.momentum,
                           .epsilon = recipe.epsilon > 0.0 ? recipe.epsilon : 1.0,
                           .weight_decay = recipe.weight_decay,
                           .decay_on = decay_on(recipe)});
  }
  if (recipe.optimizer == "adamw") {
    return std::make_unique<nn::AdamW>(
        std::move(parameters),
        nn::AdamWOptions{.rate = recipe.rate,
                         .beta1 = recipe.momentum,
                         .epsilon = recipe.epsilon > 0.0 ? recipe.epsilon : 1e-8,
                         .weight_decay = recipe.weight_decay,
                         .decay_on = decay_on(recipe)});
  }
  return std::make_unique<nn::Sgd>(
      std::move(parameters),
      nn::SgdOptions{.rate = recipe.rate,
                     .momentum = recipe.momentum,
                     .weight_decay = recipe.weight_decay,
                     .decay_on = decay_on(recipe),
                     .form = recipe.momentum_form == "nesterov" ? nn::MomentumForm::nesterov
                                                                : nn::MomentumForm::classic});
}

void check_recipe(const Recipe& recipe) {
  try {
    augmentation_of(recipe);
    mix_of(recipe);
    preprocessing_of(recipe, {});
    optimizer_of(recipe, {});
    schedule_of(recipe, 1'000'000);
    check(recipe.stride == 0 || models::is_stride(recipe.stride),
          "stride: must be 32, 16, 8 or 4, or 0 to choose by the resolution: got ", recipe.stride);
    check(recipe.freeze == "none" || !recipe.init.empty(),
          "freeze: there must be weights to keep: pass --init FILE");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

}  // namespace lamina::apps
