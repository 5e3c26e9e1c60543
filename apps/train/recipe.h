#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lamina::apps {

/// Everything that the weights at the end depend on, besides the pictures: what a config file, a
/// checkpoint and a model card hold. Zeros and empty texts marked "own" are replaced by resolve().
struct Recipe {
  std::string about;

  double width = 0.0;          // own
  std::size_t resolution = 0;  // own
  std::size_t stride = 0;      // own
  double dropout = 0.2;
  double norm_momentum = 0.1;
  std::string init;
  std::string initialization = "kaiming";
  std::string freeze = "none";

  std::size_t resize = 0;  // own
  std::string mean, std;   // own
  std::string augment = "none";
  double mixup = 0.0;
  double cutmix = 0.0;
  double mix_probability = 1.0;
  std::size_t hold_out = 0;
  std::size_t hold_out_seed = 0;

  std::size_t epochs = 10;
  std::size_t batch = 128;
  std::string optimizer = "sgd";
  double rate = 0.05;
  double momentum = 0.9;
  std::string momentum_form = "classic";
  double rms_decay = 0.9;
  double epsilon = 0.0;  // own
  double weight_decay = 4e-5;
  std::string decay_on = "all";
  double clip = 0.0;
  std::string schedule = "cosine";
  double warmup = 0.0;
  double step_factor = 0.1;
  double step_epochs = 30.0;
  double epoch_factor = 0.98;
  double final_rate = 0.0;
  double label_smoothing = 0.0;
  double ema = 0.0;
  double ema_warmup = 10.0;
  std::string ema_buffers = "average";
  std::size_t precise_norm = 0;
  std::size_t seed = 0;

  bool operator==(const Recipe&) const = default;
};

/// A field of Recipe, as users know it: an option --NAME, and a key of config files.
struct Setting {
  using Field = std::variant<double Recipe::*, std::size_t Recipe::*, std::string Recipe::*>;

  const char* name;
  Field field;
  const char* group;
  const char* type;  ///< what stands for its value in --help; "a|b": one of these words
  const char* help;
  double lowest = 0.0;  ///< numbers only, like `highest`
  double highest = std::numeric_limits<double>::infinity();
};

const std::vector<Setting>& settings();

/// The setting of that name, or null.
const Setting* find_setting(std::string_view name);

/// The setting's value as text, as short as reads back the same.
std::string value_of(const Recipe& recipe, const Setting& setting);

/// Sets it from text. Throws Error "NAME: must be ...: got 'text'".
void assign(Recipe& recipe, const Setting& setting, const std::string& value);

/// The settings of a JSON file, an object whose keys are settings' names, over `recipe`. Lists of
/// numbers and the object of "augment" are taken as well as their text. Throws UsageError that
/// names the file and the key.
void read_config(const std::filesystem::path& path, Recipe& recipe);

/// A JSON object of every setting, and back. parse_recipe throws Error on anything else.
std::string as_json(const Recipe& recipe);
Recipe parse_recipe(const std::string& json);

/// The first setting in which they differ, or null.
const Setting* first_difference(const Recipe& a, const Recipe& b);

}  // namespace lamina::apps
