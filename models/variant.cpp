#include "models/variant.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "core/error.h"
#include "data/labels.h"

namespace lamina::models {
namespace {

constexpr const char* kArchitecture = "mobilenet_v2";
constexpr const char* kMetadata = "metadata";
constexpr const char* kOption = "an option";
constexpr std::size_t kUsualFirst = 32;  // channels of the first convolution at width 1

std::string number(float value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}

// What the model that the names belong to does.
struct Conventions {
  Naming naming;
  std::string_view whose;
  nn::PaddingMode padding;
  float epsilon;
  std::string_view preprocessing;
};

constexpr Conventions kTorchvision = {Naming::torchvision, "torchvision's",
                                      nn::PaddingMode::symmetric, 1e-5f, "torchvision"};
constexpr std::array<Conventions, 7> kConventions = {{
    {Naming::mmcls, "mmcls's", nn::PaddingMode::symmetric, 1e-5f, "torchvision"},
    {Naming::tonylins, "tonylins'", nn::PaddingMode::symmetric, 1e-5f, "torchvision"},
    {Naming::d_li14, "d-li14's", nn::PaddingMode::symmetric, 1e-5f, "torchvision"},
    {Naming::timm, "timm's", nn::PaddingMode::symmetric, 1e-5f, "timm"},
    {Naming::transformers, "Hugging Face's", nn::PaddingMode::same, 1e-3f, "tf"},
    {Naming::keras, "Keras'", nn::PaddingMode::same, 1e-3f, "tf"},
    {Naming::tf_slim, "TF-slim's", nn::PaddingMode::same, 1e-3f, "tf"},
}};

const Conventions& conventions_of(std::optional<Naming> naming) {
  const auto* found = std::ranges::find(kConventions, naming, &Conventions::naming);
  return found == kConventions.end() ? kTorchvision : *found;
}

class VariantReader {
 public:
  VariantReader(const Description& description, const std::string& name,
                const VariantOptions& given)
      : description_(description),
        name_(name),
        given_(given),
        usual_(conventions_of(description.naming)) {}

  Variant read() {
    read_network();
    read_preprocessing();
    read_labels();
    return std::move(variant_);
  }

  Variant read_without_surroundings() {
    read_network();
    return std::move(variant_);
  }

 private:
  void read_network() {
    MobileNetV2Options& options = variant_.options;
    if (const std::string* architecture = value_of("arch")) {
      require(*architecture == kArchitecture, "arch must be ", kArchitecture, ": got \"",
              *architecture, '"');
    }
    const Channels channels = read_channels();
    options.last_channels = channels.last;
    options.classes = read_classes(channels.last);
    read_width(channels, options);
    options.stride = number_of<std::size_t>("stride").value_or(options.stride);
    read_norm();
    read_padding();
    read_epsilon();
    read_activation();
    say_taken();
  }

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, "read_classifier: ", name_, ": ", parts...);
  }

  const std::string* value_of(const std::string& key) const {
    const auto found = description_.metadata.find(key);
    return found == description_.metadata.end() ? nullptr : &found->second;
  }

  template <class Number>
  std::optional<Number> number_of(const std::string& key) const {
    const std::string* value = value_of(key);
    if (value == nullptr) {
      return std::nullopt;
    }
    Number number{};
    const char* end = value->data() + value->size();
    const auto [stop, error] = std::from_chars(value->data(), end, number);
    require(error == std::errc{} && stop == end, key, " must be a number: got \"", *value, '"');
    return number;
  }

  void find(const std::string& what, const std::string& value, std::string why) {
    variant_.findings.push_back({what, value, std::move(why)});
  }

  // Shapes are those of values in the file: counts taken from them cannot ask for much more memory
  // than the file itself did.
  const Shape& shape(const std::string& tensor, std::size_t rank) const {
    const auto found = description_.shapes.find(tensor);
    require(found != description_.shapes.end(), "must hold a MobileNetV2: it has no tensor ",
            tensor);
    const Shape& shape = found->second;
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
    const auto said = number_of<std::size_t>("num_classes");
    require(!said || *said == classes,
            "num_classes must be that of the classifier: num_classes is ", said.value_or(0),
            ", classifier.1.bias has ", classes);
    return classes;
  }

  void read_width(const Channels& channels, MobileNetV2Options& options) {
    options.round_to = number_of<std::size_t>("round_to").value_or(options.round_to);
    if (const auto width = number_of<float>("width_mult")) {
      options.width = *width;
      options.first_channels = channels.first == kUsualFirst ? kUsualFirst : 0;
      const Channels expected = channels_for(options);
      require(expected == channels, "width_mult must be that of the tensors: width ",
              number(*width), " has channels ", listed(expected), ", the tensors ",
              listed(channels));
      find("width", number(*width), kMetadata);
      return;
    }
    require(search_width(channels, options), "must have the channels of some width: no width has ",
            listed(channels));
    find("width", number(options.width), "the tensors' channels");
    variant_.assumptions.push_back(text("The width is taken to be ", number(options.width),
                                        ", which has the tensors' channels."));
  }

  // The published widths first, then every hundredth. Some networks keep 32 first channels.
  static bool search_width(const Channels& channels, MobileNetV2Options& options) {
    std::vector<float> widths = {1.0f, 1.4f, 1.3f, 0.75f, 0.5f, 0.35f, 0.25f, 0.1f};
    for (int hundredths = 1; hundredths <= 1000; ++hundredths) {
      widths.push_back(static_cast<float>(hundredths) / 100.0f);
    }
    const std::size_t usual = options.round_to;
    for (const std::size_t first : {std::size_t{0}, kUsualFirst}) {
      for (const std::size_t round_to : {usual, std::size_t{4}, std::size_t{1}}) {
        for (const float width : widths) {
          options.width = width;
          options.round_to = round_to;
          options.first_channels = first;
          if (channels_for(options) == channels) {
            return true;
          }
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

  void read_norm() {
    const bool separate = std::ranges::any_of(description_.shapes, [](const auto& entry) {
      return entry.first.ends_with(".running_var");
    });
    if (const std::string* norm = value_of("bn")) {
      require(*norm == (separate ? "separate" : "folded"), "bn must describe the tensors: got \"",
              *norm, "\", the tensors have ", separate ? "" : "no ", "batch norm");
    }
    variant_.norm = separate ? NormState::separate : NormState::folded;
    find("batch norm", separate ? "separate" : "folded", "the tensors' names");
  }

  void read_padding() {
    nn::PaddingMode& padding = variant_.options.padding;
    std::string why = kMetadata;
    if (given_.padding) {
      padding = *given_.padding;
      why = kOption;
    } else if (const std::string* said = value_of("padding")) {
      const auto mode = find_padding(*said);
      require(mode.has_value(), "padding must be same_tf or symmetric: got \"", *said, '"');
      padding = *mode;
    } else {
      padding = usual_.padding;
      why = take("padding", printed(padding));
    }
    find("padding", printed(padding), why);
  }

  static std::optional<nn::PaddingMode> find_padding(const std::string& name) {
    return name == "same_tf"     ? std::optional(nn::PaddingMode::same)
           : name == "symmetric" ? std::optional(nn::PaddingMode::symmetric)
                                 : std::nullopt;
  }

  static std::string printed(nn::PaddingMode padding) {
    return padding == nn::PaddingMode::same ? "same" : "symmetric";
  }

  // TensorFlow's epsilon comes with its padding, whoever the names belong to.
  void read_epsilon() {
    float& epsilon = variant_.options.epsilon;
    std::string why = kMetadata;
    const auto said = number_of<float>("epsilon");
    require(!said || (*said > 0.0f && std::isfinite(*said)),
            "epsilon must be above 0 and finite: got ", said.value_or(0.0f));
    if (given_.epsilon) {
      epsilon = *given_.epsilon;
      why = kOption;
    } else if (said) {
      epsilon = *said;
    } else {
      epsilon = variant_.options.padding == nn::PaddingMode::same ? 1e-3f : 1e-5f;
      if (variant_.norm == NormState::separate) {
        why = take_epsilon(epsilon);
      }
    }
    if (variant_.norm == NormState::separate) {
      find("epsilon", number(epsilon), why);
    }
  }

  std::string take_epsilon(float epsilon) {
    if (variant_.options.padding == usual_.padding) {
      return take("batch norm's epsilon", number(epsilon));
    }
    std::string why = variant_.options.padding == nn::PaddingMode::same
                          ? "as in TensorFlow's models, whose padding this is"
                          : "as in PyTorch's models, whose padding this is";
    variant_.assumptions.push_back(
        text("Batch norm's epsilon is taken to be ", number(epsilon), ", ", why, '.'));
    return why;
  }

  // A description of ours leaves ReLU6 out.
  void read_activation() {
    Activation& activation = variant_.options.activation;
    std::string why = kMetadata;
    const std::string* said = value_of("activation");
    require(said == nullptr || *said == "relu" || *said == "relu6",
            "activation must be relu or relu6: got \"", said == nullptr ? "" : *said, '"');
    if (given_.activation) {
      activation = *given_.activation;
      why = kOption;
    } else if (said != nullptr) {
      activation = *said == "relu" ? Activation::relu : Activation::relu6;
    } else if (value_of("arch") == nullptr) {
      why = take("activation", "ReLU6");
    }
    find("activation", activation == Activation::relu ? "ReLU" : "ReLU6", why);
  }

  // Notes that the file does not say it; returns why it is taken all the same.
  std::string take(std::string_view what, const std::string& value) {
    taken_ += text(taken_.empty() ? "" : ", ", what, ' ', value);
    return text("as in ", usual_.whose, " model");
  }

  void say_taken() {
    if (!taken_.empty()) {
      variant_.assumptions.push_back(text("Taken as in ", usual_.whose,
                                          " model, whose names the tensors have: ", taken_, '.'));
    }
  }

  void read_preprocessing() {
    data::Preprocessing& preprocessing = variant_.preprocessing;
    std::string why = kMetadata;
    if (given_.preprocessing) {
      preprocessing = *given_.preprocessing;
      why = kOption;
    } else if (const auto said = data::read_preprocessing(description_.metadata)) {
      preprocessing = *said;
    } else {
      preprocessing = *find_preprocessing(usual_.preprocessing);
      why = text("as in ", usual_.whose, " model");
      variant_.assumptions.push_back(
          text("Preprocessing is taken to be ", usual_.whose, ": ", printed(preprocessing), '.'));
    }
    find("preprocessing", printed(preprocessing), why);
  }

  static std::string printed(const data::Preprocessing& preprocessing) {
    data::Metadata text_of;
    data::store(preprocessing, text_of);
    return text(data::filter_name(preprocessing.filter), " resize to ", preprocessing.resize,
                ", crop ", preprocessing.crop, ", mean ", text_of["mean"], ", deviation ",
                text_of["std"],
                preprocessing.channel_order == data::ChannelOrder::bgr ? ", BGR" : "");
  }

  void read_labels() {
    const std::size_t classes = variant_.options.classes;
    const auto labels = models::read_labels(description_.metadata);
    if (labels) {
      require(labels->size() == classes, "labels must have a line for each class: it has ",
              labels->size(), ", the classes are ", classes);
      variant_.labels = *labels;
      find("labels", "named", kMetadata);
      return;
    }
    const std::size_t imagenet = data::imagenet_labels().size();
    const bool background = classes == imagenet + 1;
    const bool known = background || classes == imagenet;
    variant_.labels = data::default_labels(classes);
    variant_.assumptions.emplace_back(known ? "The classes are taken to be ImageNet's."
                                            : "The classes have no names.");
    find("labels",
         background ? "ImageNet's after \"background\""
         : known    ? "ImageNet's"
                    : "none",
         known ? text(classes, " classes") : "not in the file");
  }

  const Description& description_;
  const std::string& name_;
  const VariantOptions& given_;
  const Conventions& usual_;
  Variant variant_;
  std::string taken_;
};

}  // namespace

Variant read_variant(const Description& description, const std::string& name,
                     const VariantOptions& given) {
  return VariantReader(description, name, given).read();
}

MobileNetV2Options read_options(const Checkpoint& checkpoint, const std::string& name,
                                std::vector<std::string>& assumptions) {
  const Description description = describe(checkpoint);
  const VariantOptions given;
  Variant variant = VariantReader(description, name, given).read_without_surroundings();
  std::ranges::move(variant.assumptions, std::back_inserter(assumptions));
  return variant.options;
}

}  // namespace lamina::models
