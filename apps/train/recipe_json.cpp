// Recipes as JSON: config files, and the checkpoint's own text.
#include <nlohmann/json.hpp>

#include "apps/support/exit_code.h"
#include "apps/train/recipe.h"
#include "core/error.h"
#include "data/file.h"

namespace lamina::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxConfig = std::size_t{1} << 20;

std::string joined(const Json& list, const std::string& key) {
  std::string items;
  for (const auto& [name, item] : list.items()) {
    check(item.is_number(), key, ": must hold numbers: ", list.dump());
    items.append(items.empty() ? "" : ",");
    items.append(list.is_object() ? name + '=' : "").append(item.dump());
  }
  return items;
}

std::string text_of(const Json& value, const std::string& key) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number()) {
    return value.dump();
  }
  check((value.is_array() && (key == "mean" || key == "std")) ||
            (value.is_object() && key == "augment"),
        key, ": must be a number or a text: got ", value.dump());
  return joined(value, key);
}

void assign_all(const Json& object, Recipe& recipe) {
  check(object.is_object(), "must be a JSON object of settings: got ", object.type_name());
  for (const auto& [key, value] : object.items()) {
    const Setting* setting = find_setting(key);
    check(setting != nullptr, "there is no setting \"", key, "\" (see train --help)");
    assign(recipe, *setting, text_of(value, key));
  }
}

}  // namespace

void read_config(const std::filesystem::path& path, Recipe& recipe) {
  std::vector<std::uint8_t> bytes;
  try {
    bytes = data::read_file("--config", path, kMaxConfig);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  try {
    assign_all(Json::parse(bytes), recipe);
  } catch (const Json::exception& error) {
    throw UsageError(text(path.string(), ": is not JSON: ", error.what()));
  } catch (const Error& error) {
    throw UsageError(text(path.string(), ": ", error.what()));
  }
}

std::string as_json(const Recipe& recipe) {
  Json object = Json::object();
  for (const Setting& setting : settings()) {
    if (const auto* whole = std::get_if<std::size_t Recipe::*>(&setting.field)) {
      object[setting.name] = recipe.*(*whole);
    } else if (const auto* number = std::get_if<double Recipe::*>(&setting.field)) {
      object[setting.name] = recipe.*(*number);
    } else {
      object[setting.name] = value_of(recipe, setting);
    }
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Recipe parse_recipe(const std::string& json) {
  Recipe recipe;
  try {
    assign_all(Json::parse(json), recipe);
  } catch (const Json::exception& error) {
    throw Error(text("recipe: is not JSON: ", error.what()));
  }
  return recipe;
}

}  // namespace lamina::apps
