#include "models/checkpoint/names.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/naming_rules.h"

namespace lamina::models {
namespace {

using Targets = std::map<std::string, Target, std::less<>>;

constexpr std::size_t kConvolutions = 52;
constexpr std::size_t kLongestKnown = 100;  // of the names in the tables
constexpr std::string_view kFirstOutput = ":0";
constexpr std::string_view kOptimizer = "optimizer.";

// TensorFlow's variables are outputs of operations.
std::string_view without_output(std::string_view name) {
  return name.ends_with(kFirstOutput) ? name.substr(0, name.size() - kFirstOutput.size()) : name;
}

// The starts of `name` after which a known name could follow.
template <class Visit>
void for_each_prefix(std::string_view name, Visit visit) {
  const std::size_t first = name.size() > kLongestKnown ? name.size() - kLongestKnown : 0;
  for (std::size_t at = first; at < name.size(); ++at) {
    if (at == 0 || name[at - 1] == '.' || name[at - 1] == '/') {
      visit(at);
    }
  }
}

struct Match {
  Naming naming;
  std::string prefix;
  std::size_t convolutions;
};

// Averaged weights come second, then what is shorter and earlier is taken to be meant.
auto order(const Match& match) {
  return std::tuple(kConvolutions - match.convolutions,
                    match.prefix.find("ema") != std::string::npos, match.prefix.size(),
                    match.prefix, match.naming);
}

// Every naming and prefix that half of the convolutions have, the best one first.
std::vector<Match> find_matches(const Archive& archive) {
  std::vector<Match> matches;
  for (const Naming naming : all_namings()) {
    const Targets targets = targets_of(naming);
    std::map<std::string, std::size_t, std::less<>> counts;
    for (const auto& [name, tensor] : archive.tensors) {
      const std::string_view known = without_output(name);
      for_each_prefix(known, [&, &name = name](std::size_t at) {
        const auto found = targets.find(known.substr(at));
        if (found != targets.end() && found->second.is_convolution) {
          ++counts[name.substr(0, at)];
        }
      });
    }
    for (const auto& [prefix, count] : counts) {
      if (2 * count >= kConvolutions) {
        matches.push_back({naming, prefix, count});
      }
    }
  }
  std::ranges::sort(matches, {}, order);
  return matches;
}

std::vector<std::uint64_t> strides_of(const StoredTensor& tensor) {
  std::vector<std::uint64_t> strides = tensor.strides;
  if (strides.empty()) {
    strides.resize(tensor.shape.size(), 1);
    for (std::size_t i = strides.size(); i-- > 1;) {
      strides[i - 1] = strides[i] * tensor.shape[i];
    }
  }
  return strides;
}

// The same values seen with axis `order[i]` as axis i.
void permute(StoredTensor& tensor, std::span<const std::size_t> order) {
  const StoredTensor from = tensor;
  const std::vector<std::uint64_t> strides = strides_of(from);
  tensor.shape.clear();
  tensor.strides.clear();
  for (const std::size_t axis : order) {
    tensor.shape.push_back(from.shape[axis]);
    tensor.strides.push_back(strides[axis]);
  }
  if (from.quantization != nullptr) {
    auto quantization = std::make_shared<Quantization>(*from.quantization);
    const auto at = std::ranges::find(order, quantization->axis);
    quantization->axis = at == order.end() ? 0 : static_cast<std::size_t>(at - order.begin());
    tensor.quantization = std::move(quantization);
  }
}

// Other ranks stay as they are: loading then says what is wrong.
void turn(StoredTensor& tensor, Turn how) {
  constexpr std::size_t kFromHwio[] = {3, 2, 0, 1};
  constexpr std::size_t kFromHwoi[] = {2, 3, 0, 1};
  constexpr std::size_t kFromMatrix[] = {1, 0};
  constexpr std::size_t kFromImage[] = {3, 2};
  const std::size_t rank = tensor.shape.size();
  if (rank == 4 && how == Turn::hwio) {
    permute(tensor, kFromHwio);
  } else if (rank == 4 && how == Turn::hwoi) {
    permute(tensor, kFromHwoi);
  } else if (rank == 2 && how == Turn::classifier) {
    permute(tensor, kFromMatrix);
  } else if (rank == 4 && how == Turn::classifier && tensor.shape[0] * tensor.shape[1] == 1) {
    permute(tensor, kFromImage);
  }
}

// PyTorch's quantized modules: a scale and a zero point of each activation, and the classifier's
// weight and bias as a pair.
constexpr std::string_view kPacked = "classifier.1._packed_params._packed_params";

bool is_quantized(const Archive& archive) {
  return std::ranges::any_of(archive.tensors, [](const auto& entry) {
    return entry.second.quantization != nullptr && entry.first.ends_with(".weight");
  });
}

bool is_activation_range(std::string_view name) {
  return name.ends_with(".scale") || name.ends_with(".zero_point");
}

std::string counted(std::size_t count, std::string_view what) {
  return text(count, ' ', what, count == 1 ? "" : "s");
}

class Renamer {
 public:
  Renamer(Archive archive, const std::vector<Match>& matches)
      : from_(std::move(archive)),
        matches_(matches),
        targets_(targets_of(matches[0].naming)),
        quantized_(is_quantized(from_)) {}

  Renamed rename() {
    Renamed renamed{.naming = matches_[0].naming, .prefix = matches_[0].prefix};
    std::map<std::string, StoredTensor> others;
    for (auto& [name, tensor] : from_.tensors) {
      if (const std::optional<Target> target = target_of(name)) {
        take(*target, name, tensor);
      } else if (!leave_out(name)) {
        others.emplace(name, std::move(tensor));
      }
    }
    for (auto& [name, tensor] : others) {
      add(name, name, tensor);
    }
    from_.tensors = std::move(tensors_);
    if (quantized_) {
      from_.metadata.emplace("activation", "relu");
    }
    renamed.archive = std::move(from_);
    renamed.remarks = remarks();
    return renamed;
  }

 private:
  std::optional<Target> target_of(std::string_view name) const {
    const std::string& prefix = matches_[0].prefix;
    if (!name.starts_with(prefix)) {
      return std::nullopt;
    }
    const std::string_view rest = without_output(name.substr(prefix.size()));
    if (quantized_ && rest.starts_with(kPacked)) {
      const std::string_view part = rest.substr(kPacked.size());
      if (part == ".0" || part == ".1") {
        return Target{.name = part == ".0" ? "classifier.1.weight" : "classifier.1.bias"};
      }
    }
    const auto found = targets_.find(rest);
    return found == targets_.end() ? std::nullopt : std::optional(found->second);
  }

  void take(const Target& target, const std::string& name, StoredTensor& tensor) {
    if (!target.name.empty()) {
      turn(tensor, target.turn);
      add(target.name, name, tensor);
    }
  }

  void add(const std::string& ours, const std::string& theirs, StoredTensor& tensor) {
    const auto [at, is_new] = tensors_.emplace(ours, std::move(tensor));
    if (is_new) {
      sources_[ours] = theirs;
    } else {
      clashes_.push_back(
          text(in_quotes(theirs), " is left out: ", in_quotes(sources_[ours]), " is taken."));
    }
  }

  bool leave_out(std::string_view name) {
    for (std::size_t i = 1; i < matches_.size(); ++i) {
      const std::string& prefix = matches_[i].prefix;
      if (!prefix.empty() && prefix != matches_[0].prefix && name.starts_with(prefix) &&
          (matches_[0].prefix.empty() || !name.starts_with(matches_[0].prefix))) {
        ++networks_[prefix];
        return true;
      }
    }
    const bool optimizer = name.starts_with(kOptimizer);
    const bool range = !optimizer && quantized_ && is_activation_range(name);
    optimizer_ += optimizer ? 1 : 0;
    ranges_ += range ? 1 : 0;
    return optimizer || range;
  }

  std::vector<std::string> remarks() const {
    std::vector<std::string> remarks = clashes_;
    for (const auto& [prefix, count] : networks_) {
      remarks.push_back(text("A second network, ", counted(count, "tensor"), " under ",
                             in_quotes(prefix), ", is left out: that under ",
                             in_quotes(matches_[0].prefix), " is taken."));
    }
    if (optimizer_ > 0) {
      remarks.push_back(text(counted(optimizer_, "tensor"), " of an optimizer left out."));
    }
    if (quantized_) {
      remarks.push_back(
          text("Quantized weights are made float32; the ranges of its activations (",
               counted(ranges_, "tensor"),
               ") are left out, and they are ReLU, as in torchvision's quantized model."));
    }
    return remarks;
  }

  Archive from_;
  const std::vector<Match>& matches_;
  Targets targets_;
  bool quantized_;
  std::map<std::string, StoredTensor> tensors_;
  std::map<std::string, std::string> sources_;  // of tensors_
  std::vector<std::string> clashes_;
  std::map<std::string, std::size_t> networks_;  // tensors of each prefix
  std::size_t optimizer_ = 0, ranges_ = 0;
};

}  // namespace

Renamed with_our_names(Archive archive) {
  const std::vector<Match> matches = find_matches(archive);
  if (matches.empty()) {
    return {.archive = std::move(archive)};
  }
  return Renamer(std::move(archive), matches).rename();
}

Checkpoint with_names(const Checkpoint& ours, Naming naming) {
  check(naming != Naming::keras && naming != Naming::tf_slim,
        "with_names: names must be those of a library that writes PyTorch's layout: got ",
        name_of(naming));
  std::map<std::string, std::string> theirs;
  for (const auto& [name, target] : targets_of(naming)) {
    theirs.emplace(target.name, name);
  }
  Checkpoint renamed{.tensors = {}, .metadata = ours.metadata};
  for (const auto& [name, tensor] : ours.tensors) {
    const auto found = theirs.find(name);
    renamed.tensors.emplace(found == theirs.end() ? name : found->second, tensor);
  }
  return renamed;
}

}  // namespace lamina::models
