#include "apps/train/checkpoint.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "nn/state.h"

namespace lamina::apps {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kKey = "lamina_training";
constexpr int kFormat = 1;

std::string as_json(const TrainingState& state) {
  const Json json = {{"format", kFormat},
                     {"recipe", Json::parse(as_json(state.recipe))},
                     {"data", state.data},
                     {"command", state.command},
                     {"epoch", state.position.epoch},
                     {"batch", state.position.batch},
                     {"step", state.step},
                     {"seconds", state.seconds},
                     {"epoch_loss", state.epoch.loss},
                     {"epoch_right", state.epoch.right},
                     {"epoch_pictures", state.epoch.pictures},
                     {"epoch_seconds", state.epoch.seconds},
                     {"log_bytes", state.log_bytes}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TrainingState parse_state(const std::string& text) {
  const Json json = Json::parse(text);
  check(json.at("format") == kFormat, "must have format ", kFormat, ": it has ",
        json.at("format").dump());
  return {.recipe = parse_recipe(json.at("recipe").dump()),
          .data = json.at("data").get<std::string>(),
          .command = json.at("command").get<std::string>(),
          .position = {json.at("epoch").get<std::size_t>(), json.at("batch").get<std::size_t>()},
          .step = json.at("step").get<std::size_t>(),
          .seconds = json.at("seconds").get<double>(),
          .epoch = {json.at("epoch_loss").get<double>(), json.at("epoch_right").get<std::size_t>(),
                    json.at("epoch_pictures").get<std::size_t>(),
                    json.at("epoch_seconds").get<double>()},
          .log_bytes = json.at("log_bytes").get<std::uint64_t>()};
}

void add(const char* prefix, const nn::StateDict& state, models::Checkpoint& content) {
  for (const auto& [name, tensor] : state) {
    content.tensors.emplace(prefix + name, tensor);
  }
}

nn::StateDict with_prefix(std::string_view prefix, const models::Checkpoint& content) {
  nn::StateDict state;
  for (const auto& [name, tensor] : content.tensors) {
    if (name.starts_with(prefix)) {
      state.emplace(name.substr(prefix.size()), tensor);
    }
  }
  return state;
}

constexpr const char* kModel = "model.";
constexpr const char* kOptimizer = "optimizer.";
constexpr const char* kEma = "ema.";

}  // namespace

void write_checkpoint(const fs::path& path, const TrainingState& state,
                      const TrainingTensors& tensors) {
  models::Checkpoint content;
  content.metadata[kKey] = as_json(state);
  add(kModel, nn::state_dict(tensors.net), content);
  add(kOptimizer, tensors.optimizer.state(), content);
  if (tensors.ema != nullptr) {
    add(kEma, tensors.ema->state(), content);
  }
  models::write_safetensors(path, content);
}

TrainingCheckpoint read_checkpoint(const fs::path& path) {
  TrainingCheckpoint checkpoint{path, {}, models::read_checkpoint(path)};
  const auto found = checkpoint.content.metadata.find(kKey);
  check(found != checkpoint.content.metadata.end(), path.string(),
        ": must be a checkpoint of train: its metadata has no ", kKey);
  try {
    checkpoint.state = parse_state(found->second);
  } catch (const Json::exception& error) {
    throw Error(text(path.string(), ": ", kKey, ": ", error.what()));
  } catch (const Error& error) {
    throw Error(text(path.string(), ": ", kKey, ": ", error.what()));
  }
  return checkpoint;
}

void restore(const TrainingCheckpoint& checkpoint, const TrainingTensors& tensors) {
  try {
    nn::load_state(tensors.net, with_prefix(kModel, checkpoint.content));
    tensors.optimizer.load_state(with_prefix(kOptimizer, checkpoint.content));
    if (tensors.ema != nullptr) {
      tensors.ema->load_state(with_prefix(kEma, checkpoint.content));
    }
  } catch (const Error& error) {
    throw Error(text(checkpoint.path.string(), ": ", error.what()));
  }
}

}  // namespace lamina::apps
