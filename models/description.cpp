#include <array>

#include "models/variant.h"

namespace lamina::models {
namespace {

constexpr std::array<std::string_view, 4> kPreprocessing = {"torchvision", "torchvision-v2", "timm",
                                                            "tf"};

}  // namespace

std::span<const std::string_view> preprocessing_names() { return kPreprocessing; }

std::optional<data::Preprocessing> find_preprocessing(std::string_view name) {
  constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f};
  if (name == "torchvision") {
    return data::Preprocessing{};
  }
  if (name == "torchvision-v2") {
    return data::Preprocessing{.resize = 232};
  }
  if (name == "timm") {
    return data::Preprocessing{.filter = data::Filter::bicubic};
  }
  if (name == "tf") {
    return data::Preprocessing{.mean = kHalf, .std = kHalf};
  }
  return std::nullopt;
}

Description describe(const Renamed& renamed, std::string_view name) {
  Description description{
      .shapes = {}, .metadata = renamed.archive.metadata, .naming = renamed.naming};
  for (const auto& [tensor, stored] : renamed.archive.tensors) {
    if (is_loaded(stored)) {
      check_rank(stored, tensor, name);
      const std::vector<std::size_t> extents(stored.shape.begin(), stored.shape.end());
      description.shapes.emplace(tensor, Shape(std::span<const std::size_t>(extents)));
    }
  }
  return description;
}

Description describe(const Checkpoint& checkpoint) {
  Description description{.shapes = {}, .metadata = checkpoint.metadata, .naming = std::nullopt};
  for (const auto& [name, tensor] : checkpoint.tensors) {
    description.shapes.emplace(name, tensor.shape());
  }
  return description;
}

}  // namespace lamina::models
