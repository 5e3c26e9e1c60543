// The table of settings, and their values as text.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "apps/train/recipe.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr double kManyWhole = 1e9;  // exact in double and far below overflow in products

std::vector<std::string> choices_of(const Setting& setting) {
  std::vector<std::string> words;
  const std::string_view list = setting.type;
  for (std::size_t begin = 0; list.find('|') != list.npos && begin <= list.size();) {
    const std::size_t end = std::min(list.find('|', begin), list.size());
    words.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string printed(double value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}

std::string range_of(const Setting& setting) {
  return setting.highest == kNoLimit
             ? text("at least ", printed(setting.lowest))
             : text("from ", printed(setting.lowest), " to ", printed(setting.highest));
}

template <class Number>
Number number_from(const Setting& setting, const char* kind, const std::string& value) {
  Number number{};
  const char* end = value.data() + value.size();
  const auto [stop, failure] = std::from_chars(value.data(), end, number);
  const auto checked = static_cast<double>(number);
  check(failure == std::errc{} && stop == end && std::isfinite(checked) &&
            checked >= setting.lowest && checked <= setting.highest,
        setting.name, ": must be a ", kind, ' ', range_of(setting), ": got '", value, "'");
  return number;
}

std::vector<Setting> model_settings() {
  constexpr const char* kGroup = "Network";
  return {
      {"width", &Recipe::width, kGroup, "W",
       "Multiplier of all channel counts; 0: 1, or that of --init", 0, 10},
      {"resolution", &Recipe::resolution, kGroup, "PIXELS",
       "Side of the pictures; 0: that of --init, else 224, else the pictures' own below 96", 0,
       4096},
      {"stride", &Recipe::stride, kGroup, "N",
       "Input pixels a side for one of the last layers': 32, 16, 8 or 4; 0: 32, for resolutions "
       "below 96 16, below 48 8",
       0, 32},
      {"dropout", &Recipe::dropout, kGroup, "P", "Share of features dropped before the classifier",
       0, 0.99},
      {"bn-momentum", &Recipe::norm_momentum, kGroup, "M",
       "Share of a batch in batch norm's running statistics", 0, 1},
      {"init", &Recipe::init, kGroup, "FILE",
       "Start from these weights; the head is new where the classes are others"},
      {"initialization", &Recipe::initialization, kGroup, "kaiming|truncated-normal",
       "Random weights: torchvision's or the paper's"},
      {"freeze", &Recipe::freeze, kGroup, "none|backbone|0|1|2|3|4|5|6|7",
       "What keeps its weights: all but the head, on features computed once; or stages 0 to N, "
       "0 being the first convolution"},
  };
}

std::vector<Setting> data_settings() {
  constexpr const char* kGroup = "Pictures";
  return {
      {"resize", &Recipe::resize, kGroup, "PIXELS",
       "Shorter side before the center crop; 0: 8/7 of the resolution, below 96 the resolution", 0,
       8192},
      {"mean", &Recipe::mean, kGroup, "R,G,B",
       "Subtracted from values in [0, 1], one number for all; default: that of --init, else "
       "ImageNet's"},
      {"std", &Recipe::std, kGroup, "R,G,B", "What they are then divided by"},
      {"augment", &Recipe::augment, kGroup, "LIST",
       "Random changes, as crop=0.08,flip=0.5: crop (smallest share of the area), crop-ratio, "
       "flip, shift (pixels), brightness, contrast, saturation, hue, trivial (TrivialAugment's "
       "share), erasing; or none"},
      {"mixup", &Recipe::mixup, kGroup, "ALPHA", "Blend pictures of a batch in pairs", 0, 100},
      {"cutmix", &Recipe::cutmix, kGroup, "ALPHA", "Paste rectangles of one into another", 0, 100},
      {"mix-probability", &Recipe::mix_probability, kGroup, "P", "That a batch is mixed", 0, 1},
      {"hold-out", &Recipe::hold_out, kGroup, "N",
       "Set so many training pictures aside and validate on them; 0: validate on the test split", 0,
       kManyWhole},
      {"hold-out-seed", &Recipe::hold_out_seed, kGroup, "N", "Which pictures", 0, kManyWhole},
  };
}

std::vector<Setting> optimizer_settings() {
  constexpr const char* kGroup = "Optimizer";
  return {
      {"optimizer", &Recipe::optimizer, kGroup, "sgd|rmsprop|adamw",
       "How weights follow gradients"},
      {"lr", &Recipe::rate, kGroup, "RATE", "Highest learning rate", 0, 1000},
      {"momentum", &Recipe::momentum, kGroup, "M", "Of sgd and rmsprop; beta1 of adamw", 0,
       0.999999},
      {"momentum-form", &Recipe::momentum_form, kGroup, "classic|nesterov", "Of sgd"},
      {"rms-decay", &Recipe::rms_decay, kGroup, "D", "Of rmsprop's mean square", 0, 0.999999},
      {"epsilon", &Recipe::epsilon, kGroup, "E",
       "Beside the mean square; 0: 1 for rmsprop, 1e-8 for adamw", 0, 1e6},
      {"weight-decay", &Recipe::weight_decay, kGroup, "D", "Pulls weights towards zero", 0, 100},
      {"decay-on", &Recipe::decay_on, kGroup, "all|weights",
       "Which ones: weights leaves biases and norms alone"},
      {"clip", &Recipe::clip, kGroup, "NORM", "Largest norm of the gradient; 0: any", 0, kNoLimit},
  };
}

std::vector<Setting> training_settings() {
  constexpr const char* kGroup = "Training";
  return {
      {"epochs", &Recipe::epochs, kGroup, "N", "Passes over the pictures", 1, 1 << 20},
      {"batch", &Recipe::batch, kGroup, "N", "Pictures in a step", 1, 1 << 20},
      {"schedule", &Recipe::schedule, kGroup, "constant|step|exponential|cosine|one-cycle",
       "How the rate falls"},
      {"warmup", &Recipe::warmup, kGroup, "EPOCHS", "The rate rises to --lr before", 0, 1e6},
      {"step-factor", &Recipe::step_factor, kGroup, "F", "Of the step schedule", 1e-9, 1},
      {"step-epochs", &Recipe::step_epochs, kGroup, "N", "Of the step schedule", 1e-3, 1e6},
      {"epoch-factor", &Recipe::epoch_factor, kGroup, "F", "Of the exponential schedule", 1e-9, 1},
      {"final-lr", &Recipe::final_rate, kGroup, "RATE", "Of the cosine schedule", 0, 1000},
      {"label-smoothing", &Recipe::label_smoothing, kGroup, "S",
       "Share of the target spread over all classes", 0, 0.999},
      {"ema", &Recipe::ema, kGroup, "DECAY",
       "Average the weights and ship the average; 0: no, 0.9999 is common", 0, 0.9999999},
      {"ema-warmup", &Recipe::ema_warmup, kGroup, "N",
       "Smaller decays at first, (1 + n) / (N + n); 0: no", 0, 1e9},
      {"ema-buffers", &Recipe::ema_buffers, kGroup, "average|copy",
       "Batch norm's statistics beside the average: averaged too, or the latest"},
      {"precise-bn", &Recipe::precise_norm, kGroup, "BATCHES",
       "At the end, compute batch norm's statistics anew from so many batches; 0: no", 0, 1e6},
      {"seed", &Recipe::seed, kGroup, "N", "Of everything random", 0, kManyWhole},
      {"about", &Recipe::about, kGroup, "TEXT", "A line for the model's card"},
  };
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kAll = [] {
    std::vector<Setting> list;
    for (const auto& group :
         {model_settings(), data_settings(), training_settings(), optimizer_settings()}) {
      list.insert(list.end(), group.begin(), group.end());
    }
    return list;
  }();
  return kAll;
}

const Setting* find_setting(std::string_view name) {
  const auto found = std::ranges::find(settings(), name, &Setting::name);
  return found == settings().end() ? nullptr : &*found;
}

std::string value_of(const Recipe& recipe, const Setting& setting) {
  if (const auto* word = std::get_if<std::string Recipe::*>(&setting.field)) {
    return recipe.*(*word);
  }
  if (const auto* whole = std::get_if<std::size_t Recipe::*>(&setting.field)) {
    return std::to_string(recipe.*(*whole));
  }
  return printed(recipe.*std::get<double Recipe::*>(setting.field));
}

void assign(Recipe& recipe, const Setting& setting, const std::string& value) {
  if (const auto* whole = std::get_if<std::size_t Recipe::*>(&setting.field)) {
    recipe.*(*whole) = number_from<std::size_t>(setting, "whole number", value);
  } else if (const auto* number = std::get_if<double Recipe::*>(&setting.field)) {
    recipe.*(*number) = number_from<double>(setting, "number", value);
  } else {
    const std::vector<std::string> choices = choices_of(setting);
    check(choices.empty() || std::ranges::find(choices, value) != choices.end(), setting.name,
          ": must be one of ", setting.type, ": got '", value, "'");
    recipe.*std::get<std::string Recipe::*>(setting.field) = value;
  }
}

const Setting* first_difference(const Recipe& a, const Recipe& b) {
  const auto found = std::ranges::find_if(settings(), [&](const Setting& setting) {
    return value_of(a, setting) != value_of(b, setting);
  });
  return found == settings().end() ? nullptr : &*found;
}

}  // namespace lamina::apps
