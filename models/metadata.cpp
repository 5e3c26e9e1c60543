#include "models/metadata.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/error.h"

namespace lamina::models {
namespace {

constexpr const char* kArchitecture = "mobilenet_v2";
constexpr const char* kSame = "same_tf";
constexpr const char* kSymmetric = "symmetric";

std::string printed(float value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}

constexpr const char* kLabels = "labels";

}  // namespace

void store_labels(const std::vector<std::string>& labels, data::Metadata& metadata) {
  std::string& lines = metadata[kLabels];
  for (const std::string& label : labels) {
    lines += (&label == &labels.front() ? "" : "\n") + label;
  }
}

std::optional<std::vector<std::string>> read_labels(const data::Metadata& metadata) {
  const auto found = metadata.find(kLabels);
  if (found == metadata.end()) {
    return std::nullopt;
  }
  std::string_view lines = found->second;
  if (lines.ends_with('\n')) {
    lines.remove_suffix(1);
  }
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin <= lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    labels.emplace_back(lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return labels;
}

bool has_norm(const Checkpoint& checkpoint) {
  return std::ranges::any_of(checkpoint.tensors, [](const auto& entry) {
    return std::string_view(entry.first).ends_with(".running_var");
  });
}

void store(const MobileNetV2Options& options, NormState norm, data::Metadata& metadata) {
  metadata["arch"] = kArchitecture;
  metadata["width_mult"] = printed(options.width);
  metadata["round_to"] = std::to_string(options.round_to);
  metadata["num_classes"] = std::to_string(options.classes);
  metadata["padding"] = options.padding == nn::PaddingMode::same ? kSame : kSymmetric;
  metadata["stride"] = std::to_string(options.stride);
  metadata["epsilon"] = printed(options.epsilon);
  if (options.activation == Activation::relu) {
    metadata["activation"] = "relu";
  }
  metadata["bn"] = norm == NormState::folded ? "folded" : "separate";
}

}  // namespace lamina::models
