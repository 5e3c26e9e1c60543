#include "models/checkpoint/torch/state_dict.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/bytes.h"
#include "models/checkpoint/torch/find_state_dict.h"

namespace lamina::models::torch {
namespace {

constexpr const char* kAveraged = "n_averaged";  // a counter beside a wrapped network
constexpr std::uint64_t kTextCost = 16;
constexpr std::uint64_t kMostTextsPerByte = 8;
constexpr std::size_t kMostNamed = 5;

// "a, b and 3 more".
std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    list += text(i == 0 ? "" : ", ", names[i]);
  }
  return names.size() <= kMostNamed ? list
                                    : text(list, " and ", names.size() - kMostNamed, " more");
}

std::string printed(double number) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr};
}

class StateDictReader {
 public:
  StateDictReader(const Pickle& pickle, Storages& storages, const std::string& prefix)
      : pickle_(pickle), prefix_(prefix), tensors_(pickle, storages, prefix) {}

  Archive read() {
    const std::optional<StateDict> found = find_state_dict(pickle_, tensors_);
    check(found.has_value(), prefix_,
          "must hold a dict of named tensors: there is none; save model.state_dict()");
    for (const Value dict : found->around) {
      add_metadata(dict, "torch.");
    }
    collect(found->dict);
    strip_prefixes();
    for (auto& [name, value] : named_) {
      add_tensor(std::move(name), value);
    }
    add_remarks(*found);
    return std::move(archive_);
  }

 private:
  // Values may be shared: texts made of them must not outgrow the file.
  void pay(std::size_t bytes) {
    paid_ += bytes + kTextCost;
    check(paid_ <= pickle_.size() * kMostTextsPerByte, prefix_,
          "names and texts must take at most ", kMostTextsPerByte, " times the pickle's ",
          pickle_.size(), " bytes: they take more");
  }

  void collect(Value dict) {
    const std::span<const Value> items = pickle_.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (!pickle_.is(items[i], Kind::text)) {
        left_out_.push_back("a key that is no text");
        continue;
      }
      const std::string_view name = pickle_.text(items[i]);
      pay(name.size());
      if (tensors_.is_tensor(items[i + 1])) {
        named_.emplace_back(name, items[i + 1]);
      } else if (!collect_items(name, items[i + 1])) {
        left_out_.push_back(shown(name));
      }
    }
  }

  // Packed parameters: a tuple of a weight and a bias.
  bool collect_items(std::string_view name, Value sequence) {
    if (!pickle_.is(sequence, Kind::tuple) && !pickle_.is(sequence, Kind::list)) {
      return false;
    }
    const std::span<const Value> items = pickle_.items(sequence);
    bool any = false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (tensors_.is_tensor(items[i])) {
        pay(name.size());
        named_.emplace_back(text(name, '.', i), items[i]);
        any = true;
      } else {
        pay(0);
      }
    }
    return any;
  }

  void strip_prefixes() {
    for (bool stripped = true; stripped;) {
      stripped = false;
      for (const std::string_view wrapper : {"module.", "_orig_mod."}) {
        const bool all = std::ranges::all_of(named_, [&](const auto& named) {
          return named.first == kAveraged || named.first.starts_with(wrapper);
        });
        const bool any = std::ranges::any_of(
            named_, [&](const auto& named) { return named.first.starts_with(wrapper); });
        if (all && any) {
          for (auto& [name, value] : named_) {
            name.erase(0, name.starts_with(wrapper) ? wrapper.size() : 0);
          }
          archive_.remarks.push_back(
              text("the prefix \"", wrapper, "\" is taken off the tensors' names"));
          stripped = true;
        }
      }
    }
  }

  void add_tensor(std::string name, Value value) {
    std::optional<StoredTensor> tensor = tensors_.read(value, name);
    if (!tensor) {
      unread_.push_back(shown(name));
      return;
    }
    const auto [place, is_new] = archive_.tensors.emplace(std::move(name), std::move(*tensor));
    check(is_new, prefix_, "names must differ: ", shown(place->first), " comes twice");
  }

  void add_metadata(Value dict, const std::string& prefix) {
    const std::span<const Value> items = pickle_.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (pickle_.is(items[i], Kind::text)) {
        const std::string_view key = pickle_.text(items[i]);
        const Value value = items[i + 1];
        if (std::optional<std::string> scalar = read_scalar(value)) {
          pay(key.size() + scalar->size());
          archive_.metadata.emplace(text(prefix, key), std::move(*scalar));
        } else if (key == "meta" && prefix == "torch." && pickle_.is(value, Kind::dict)) {
          add_metadata(value, "torch.meta.");
        } else if (key == "CLASSES") {
          add_labels(value);
        }
      }
    }
  }

  std::optional<std::string> read_scalar(Value value) const {
    switch (pickle_.kind(value)) {
      case Kind::boolean:
        return pickle_.integer(value) != 0 ? "true" : "false";
      case Kind::integer:
        return std::to_string(pickle_.integer(value));
      case Kind::real:
        return printed(pickle_.real(value));
      case Kind::text:
        return pickle_.text(value).size() <= limits::kTorchText
                   ? std::optional<std::string>(pickle_.text(value))
                   : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  // A line for each class.
  void add_labels(Value classes) {
    std::string lines;
    for (const Value label : pickle_.items(classes)) {
      if (!pickle_.is(label, Kind::text) ||
          pickle_.text(label).find('\n') != std::string_view::npos) {
        return;
      }
      pay(pickle_.text(label).size());
      lines += pickle_.text(label);
      lines += '\n';
    }
    if (!lines.empty()) {
      archive_.metadata.emplace("labels", std::move(lines));
    }
  }

  void add_remarks(const StateDict& found) {
    std::vector<std::string>& remarks = archive_.remarks;
    if (!found.path.empty()) {
      remarks.push_back(text("tensors are those of ", shown(found.path),
                             found.others.empty() ? "" : ", not of ", listed(found.others)));
    }
    for (const Value dict : found.around) {
      add_skipped(dict, found);
    }
    if (!left_out_.empty()) {
      remarks.push_back(text("left out, not being tensors of the network: ", listed(left_out_)));
    }
    if (!unread_.empty()) {
      remarks.push_back(
          text("left out, their elements being of a kind that is not read: ", listed(unread_)));
    }
  }

  void add_skipped(Value dict, const StateDict& found) {
    const std::span<const Value> items = pickle_.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (pickle_.is(items[i], Kind::text) && left_out_.size() < kMostNamed) {
        const std::string name = shown(pickle_.text(items[i]).substr(0, limits::kZipName));
        const bool is_read = read_scalar(items[i + 1]) || pickle_.text(items[i]) == "meta" ||
                             items[i + 1].index == found.dict.index;
        const bool is_way = std::ranges::any_of(
            found.around, [&](Value way) { return way.index == items[i + 1].index; });
        if (!is_read && !is_way && std::ranges::find(found.others, name) == found.others.end()) {
          left_out_.push_back(name);
        }
      }
    }
  }

  const Pickle& pickle_;
  const std::string& prefix_;
  TensorReader tensors_;
  Archive archive_;
  std::vector<std::pair<std::string, Value>> named_;
  std::vector<std::string> left_out_, unread_;
  std::uint64_t paid_ = 0;
};

}  // namespace

Archive read_state_dict(const Pickle& pickle, Storages& storages, const std::string& prefix) {
  return StateDictReader(pickle, storages, prefix).read();
}

}  // namespace lamina::models::torch
