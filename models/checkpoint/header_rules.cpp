#include "models/checkpoint/header_rules.h"

#include <algorithm>
#include <array>
#include <limits>

#include "models/checkpoint/json_items.h"
#include "models/checkpoint/limits.h"

namespace lamina::models {
namespace {

constexpr const char* kMetadata = "__metadata__";
constexpr const char* kWeightMap = "weight_map";

std::string printed(const std::vector<std::uint64_t>& shape) {
  std::string list = "[";
  for (const std::uint64_t extent : shape) {
    list += text(list.size() == 1 ? "" : ",", extent);
  }
  return list + ']';
}

class HeaderReader : public JsonItems {
 public:
  using JsonItems::JsonItems;

  Header take_header() { return std::move(header_); }

 private:
  enum class Field { dtype, shape, data_offsets };

  void on_key(std::string& name) override {
    if (depth() == 1) {
      begin_entry(name);
    } else if (in_metadata_) {
      begin_text(name);
    } else {
      begin_field(name);
    }
  }

  void begin_entry(std::string& name) {
    if (name.size() > limits::kTensorName) {
      refuse("names must have at most ", limits::kTensorName, " bytes: one has ", name.size());
    }
    in_metadata_ = name == kMetadata;
    const bool is_new =
        in_metadata_ ? !std::exchange(has_metadata_, true) : !header_.entries.contains(name);
    if (!is_new) {
      refuse("names must differ: ", in_quotes(name), " comes twice");
    }
    if (header_.entries.size() >= limits::kTensors) {
      refuse("must have at most ", limits::kTensors, " tensors: it has more");
    }
    name_ = std::move(name);
    entry_ = {};
    seen_ = {};
  }

  void begin_text(std::string& name) {
    if (header_.metadata.contains(name)) {
      refuse("names must differ: ", in_quotes(name), " comes twice");
    }
    if (header_.metadata.size() >= limits::kMetadata) {
      refuse(kMetadata, " must have at most ", limits::kMetadata, " entries: it has more");
    }
    key_ = std::move(name);
  }

  void begin_field(const std::string& name) {
    constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};
    const auto* found = std::ranges::find(kFields, name);
    if (found == kFields.end()) {
      refuse_fields();
    }
    const auto index = static_cast<std::size_t>(found - kFields.begin());
    if (std::exchange(seen_[index], true)) {
      refuse("names must differ: ", in_quotes(name), " comes twice");
    }
    field_ = static_cast<Field>(index);
    numbers_.clear();
  }

  void on_item(const JsonItem& item) override {
    if (depth() == 0) {
      if (item.kind != "object") {
        refuse("header must be a JSON object: it is of type ", item.kind);
      }
    } else if (in_metadata_) {
      on_metadata(item);
    } else if (depth() > 1) {
      on_field(item);
    } else if (item.kind != "object") {
      refuse_fields();
    }
  }

  void on_metadata(const JsonItem& item) {
    if (depth() == 1) {
      if (item.kind != "object") {
        refuse(kMetadata, " must be an object of strings: it is of type ", item.kind);
      }
    } else if (item.string == nullptr) {
      refuse(kMetadata, " must be an object of strings: ", in_quotes(key_), " is of type ",
             item.kind);
    } else {
      header_.metadata.emplace(std::move(key_), std::move(*item.string));
    }
  }

  void on_field(const JsonItem& item) {
    if (field_ == Field::dtype) {
      entry_.type = item.string == nullptr ? nullptr : find_element_type(*item.string);
      if (entry_.type == nullptr) {
        refuse(tensor(), "dtype must be that of numbers of 1 to 8 bytes: got ", item.printed);
      }
    } else if (depth() == 2 ? item.kind != "array" : !item.size) {
      refuse(tensor(),
             field_ == Field::shape ? "shape must be a list of sizes: got "
                                    : "data_offsets must be two offsets: got ",
             item.printed);
    } else if (item.size) {
      if (numbers_.size() >= limits::kStoredRank) {
        refuse(tensor(), "lists must have at most ", limits::kStoredRank, " numbers: one has more");
      }
      numbers_.push_back(*item.size);
    }
  }

  void on_close() override {
    if (in_metadata_ || depth() == 0) {
      return;
    }
    if (depth() == 1) {
      end_entry();
    } else if (field_ == Field::shape) {
      entry_.shape = numbers_;
    } else if (numbers_.size() != 2) {
      refuse(tensor(), "data_offsets must be two offsets: got ", numbers_.size());
    } else {
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    }
  }

  void end_entry() {
    if (!std::ranges::all_of(seen_, std::identity())) {
      refuse_fields();
    }
    std::uint64_t bytes = entry_.type->bytes;
    for (const std::uint64_t extent : entry_.shape) {
      const std::uint64_t most = std::numeric_limits<std::int64_t>::max();
      if (extent != 0 && bytes > most / extent) {
        refuse(tensor(), "size must be below 2^63 bytes: shape is ", printed(entry_.shape));
      }
      bytes *= extent;
    }
    if (entry_.begin > entry_.end || entry_.end - entry_.begin != bytes) {
      refuse(tensor(), "size must be that of its shape: data_offsets are ", entry_.begin, " to ",
             entry_.end, ", ", entry_.type->name, " x ", printed(entry_.shape), " needs ", bytes,
             " bytes");
    }
    header_.entries.emplace(std::move(name_), std::move(entry_));
  }

  std::string tensor() const { return text("tensor ", in_quotes(name_), ": "); }

  [[noreturn]] void refuse_fields() const {
    refuse(tensor(), "must have dtype, shape and data_offsets, and nothing else");
  }

  Header header_;
  std::string name_;  // of entry_
  HeaderEntry entry_;
  std::string key_;  // of the metadata
  bool in_metadata_ = false, has_metadata_ = false;
  Field field_ = Field::dtype;
  std::array<bool, 3> seen_ = {};
  std::vector<std::uint64_t> numbers_;
};

class IndexReader : public JsonItems {
 public:
  using JsonItems::JsonItems;

  std::map<std::string, std::string> take_files() {
    if (!has_map_) {
      refuse("must be an index of tensors: it has no ", kWeightMap);
    }
    return std::move(files_);
  }

 private:
  void on_key(std::string& name) override {
    if (depth() == 1) {
      in_map_ = name == kWeightMap;
    } else if (in_map_ && files_.contains(name)) {
      refuse("names must differ: ", in_quotes(name), " comes twice");
    }
    key_ = std::move(name);
  }

  void on_item(const JsonItem& item) override {
    if (depth() == 0 && item.kind != "object") {
      refuse("must be an index of tensors: it is of type ", item.kind);
    }
    if (in_map_ && depth() == 1) {
      has_map_ = item.kind == "object";
    }
    if (!in_map_ || depth() != 2 || !has_map_) {
      return;
    }
    if (item.string == nullptr) {
      refuse(kWeightMap, " must name a file for each tensor: ", in_quotes(key_), " is of type ",
             item.kind);
    }
    if (files_.size() >= limits::kTensors) {
      refuse("must have at most ", limits::kTensors, " tensors: it has more");
    }
    files_.emplace(std::move(key_), std::move(*item.string));
  }

  void on_close() override { in_map_ = in_map_ && depth() > 1; }

  std::map<std::string, std::string> files_;
  std::string key_;
  bool in_map_ = false, has_map_ = false;
};

}  // namespace

Header parse_header(std::string_view header, std::string_view prefix) {
  HeaderReader reader(header, prefix);
  reader.read();
  return reader.take_header();
}

std::map<std::string, std::string> parse_index(std::string_view json, std::string_view prefix) {
  IndexReader reader(json, prefix);
  reader.read();
  return reader.take_files();
}

}  // namespace lamina::models
