#include "models/metadata.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
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

class OptionsReader {
 public:
  OptionsReader(const Checkpoint& checkpoint, const std::string& name,
                std::vector<std::string>& assumptions)
      : checkpoint_(checkpoint), name_(name), assumptions_(assumptions) {}

  MobileNetV2Options read() const {
    MobileNetV2Options options;
    if (const std::string* architecture = find("arch")) {
      require(*architecture == kArchitecture, "arch must be ", kArchitecture, ": got \"",
              *architecture, '"');
    }
    const Channels channels = read_channels();
    options.last_channels = channels.last;
    options.classes = read_classes(channels.last);
    read_width(channels, options);
    options.padding = read_padding();
    options.stride = find_number<std::size_t>("stride").value_or(options.stride);
    options.epsilon = read_epsilon(options.padding);
    return options;
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, "read_classifier: ", name_, ": ", parts...);
  }

  const std::string* find(const std::string& key) const {
    const auto found = checkpoint_.metadata.find(key);
    return found == checkpoint_.metadata.end() ? nullptr : &found->second;
  }

  template <class Number>
  std::optional<Number> find_number(const std::string& key) const {
    const std::string* value = find(key);
    if (value == nullptr) {
      return std::nullopt;
    }
    Number number{};
    const char* end = value->data() + value->size();
    const auto [stop, error] = std::from_chars(value->data(), end, number);
    require(error == std::errc{} && stop == end, key, " must be a number: got \"", *value, '"');
    return number;
  }

  // Shapes are those of values in the file: counts taken from them cannot ask for much more memory
  // than the file itself did.
  const Shape& shape(const std::string& tensor, std::size_t rank) const {
    const auto found = checkpoint_.tensors.find(tensor);
    require(found != checkpoint_.tensors.end(), "must hold a MobileNetV2: it has no tensor ",
            tensor);
    const Shape& shape = found->second.shape();
    require(shape.rank() == rank && shape.size() > 0, "must hold a MobileNetV2: ", tensor, " is ",
            shape);
    return shape;
  }

  Channels read_channels() const {
    Channels channels{};
    channels.first = shape("features.0.0.weight", 4)[0];
    std::size_t in = channels.first;
    std::size_t block = 1;
    for (std::size_t i = 0; i < kStages.size(); ++i) {
      for (std::size_t repeat = 0; repeat < kStages[i].repeats; ++repeat, ++block) {
        const std::string tensor =
            text("features.", block, kStages[i].expansion == 1 ? ".conv.1" : ".conv.2", ".weight");
        const Shape& project = shape(tensor, 4);
        require(project[1] == in * kStages[i].expansion, "must hold a MobileNetV2: ", tensor,
                " takes ", project[1], " channels, the block's input has ", in, " x ",
                kStages[i].expansion);
        in = channels.stages[i] = project[0];
      }
    }
    const std::string tensor = text("features.", block, ".0.weight");
    const Shape& last = shape(tensor, 4);
    require(last[1] == in, "must hold a MobileNetV2: ", tensor, " takes ", last[1],
            " channels, its input has ", in);
    channels.last = last[0];
    return channels;
  }

  std::size_t read_classes(std::size_t last) const {
    const std::size_t classes = shape("classifier.1.bias", 1)[0];
    const Shape& weight = shape("classifier.1.weight", 2);
    require(weight == Shape{classes, last}, "must hold a MobileNetV2: classifier.1.weight is ",
            weight, ", the tensors around it need ", Shape{classes, last});
    const auto said = find_number<std::size_t>("num_classes");
    require(!said || *said == classes,
            "num_classes must be that of the classifier: num_classes is ", said.value_or(0),
            ", classifier.1.bias has ", classes);
    return classes;
  }

  void read_width(const Channels& channels, MobileNetV2Options& options) const {
    options.round_to = find_number<std::size_t>("round_to").value_or(options.round_to);
    if (const auto width = find_number<float>("width_mult")) {
      options.width = *width;
      const Channels expected = channels_for(options);
      require(expected == channels, "width_mult must be that of the tensors: width ",
              printed(*width), " has channels ", listed(expected), ", the tensors ",
              listed(channels));
      return;
    }
    require(search_width(channels, options), "must have the channels of some width: no width has ",
            listed(channels));
    assumptions_.push_back(text("The width is taken to be ", printed(options.width),
                                ", which has the tensors' channels."));
  }

  // The published widths first, then every hundredth.
  static bool search_width(const Channels& channels, MobileNetV2Options& options) {
    std::vector<float> widths = {1.0f, 1.4f, 1.3f, 0.75f, 0.5f, 0.35f, 0.25f, 0.1f};
    for (int hundredths = 1; hundredths <= 1000; ++hundredths) {
      widths.push_back(static_cast<float>(hundredths) / 100.0f);
    }
    for (const std::size_t round_to : {options.round_to, std::size_t{4}, std::size_t{1}}) {
      for (const float width : widths) {
        options.width = width;
        options.round_to = round_to;
        if (channels_for(options) == channels) {
          return true;
        }
      }
    }
    return false;
  }

  static std::string listed(const Channels& channels) {
    std::string list = text(channels.first);
    for (const std::size_t stage : channels.stages) {
      list += text(' ', stage);
    }
    return list + text(' ', channels.last);
  }

  nn::PaddingMode read_padding() const {
    const std::string* padding = find("padding");
    if (padding == nullptr) {
      assumptions_.emplace_back("Padding is taken to be symmetric, as in PyTorch's models.");
      return nn::PaddingMode::symmetric;
    }
    require(*padding == kSame || *padding == kSymmetric, "padding must be ", kSame, " or ",
            kSymmetric, ": got \"", *padding, '"');
    return *padding == kSame ? nn::PaddingMode::same : nn::PaddingMode::symmetric;
  }

  float read_epsilon(nn::PaddingMode padding) const {
    const bool separate = has_norm(checkpoint_);
    if (const std::string* norm = find("bn")) {
      require(*norm == (separate ? "separate" : "folded"), "bn must describe the tensors: got \"",
              *norm, "\", the tensors have ", separate ? "" : "no ", "batch norm");
    }
    if (const auto epsilon = find_number<float>("epsilon")) {
      require(*epsilon > 0.0f && std::isfinite(*epsilon),
              "epsilon must be above 0 and finite: got ", *epsilon);
      return *epsilon;
    }
    const float epsilon = padding == nn::PaddingMode::same ? 1e-3f : 1e-5f;
    if (separate) {
      assumptions_.push_back(text("Batch norm's epsilon is taken to be ", printed(epsilon), "."));
    }
    return epsilon;
  }

  const Checkpoint& checkpoint_;
  const std::string& name_;
  std::vector<std::string>& assumptions_;
};

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
  const std::string& lines = found->second;
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin <= lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    labels.push_back(lines.substr(begin, end - begin));
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
  metadata["bn"] = norm == NormState::folded ? "folded" : "separate";
}

MobileNetV2Options read_options(const Checkpoint& checkpoint, const std::string& name,
                                std::vector<std::string>& assumptions) {
  return OptionsReader(checkpoint, name, assumptions).read();
}

}  // namespace lamina::models
