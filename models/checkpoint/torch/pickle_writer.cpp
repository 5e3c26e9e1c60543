#include "models/checkpoint/torch/pickle_writer.h"

#include <limits>
#include <vector>

namespace lamina::models::torch {
namespace {

template <class Number>
void put(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& bytes, std::string_view value) {
  bytes += 'X';
  put(bytes, static_cast<std::uint32_t>(value.size()));
  bytes += value;
}

}  // namespace

std::string pickle_texts(const std::map<std::string, std::string>& texts) {
  std::string bytes = "\x80\x02}(";
  for (const auto& [key, value] : texts) {
    put_text(bytes, key);
    put_text(bytes, value);
  }
  return bytes + "u.";
}

StateDictPickle::StateDictPickle() : bytes_("\x80\x02") {
  empty_ordered_dict();
  bytes_ += '(';
}

void StateDictPickle::add(std::string_view name, std::string_view type, std::string_view key,
                          std::span<const std::size_t> shape) {
  std::vector<std::uint64_t> strides(shape.size());
  std::uint64_t size = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = size;
    size *= shape[axis];
  }
  put_text(bytes_, name);
  global("torch._utils", "_rebuild_tensor_v2");
  bytes_ += "((";
  put_text(bytes_, "storage");
  global("torch", type);
  put_text(bytes_, key);
  put_text(bytes_, "cpu");
  integer(size);
  bytes_ += "tQ";
  integer(0);
  integers(std::vector<std::uint64_t>(shape.begin(), shape.end()));
  integers(strides);
  bytes_ += '\x89';  // needs no gradient
  empty_ordered_dict();
  bytes_ += "tR";
}

std::string StateDictPickle::finish() && {
  bytes_ += "u.";
  return std::move(bytes_);
}

void StateDictPickle::integer(std::uint64_t value) {
  if (value <= std::numeric_limits<std::uint8_t>::max()) {
    bytes_ += 'K';
    put(bytes_, static_cast<std::uint8_t>(value));
  } else if (value <= std::numeric_limits<std::int32_t>::max()) {
    bytes_ += 'J';
    put(bytes_, static_cast<std::int32_t>(value));
  } else {
    bytes_ += "\x8a\x08";
    put(bytes_, value);
  }
}

void StateDictPickle::integers(std::span<const std::uint64_t> values) {
  bytes_ += '(';
  for (const std::uint64_t value : values) {
    integer(value);
  }
  bytes_ += 't';
}

void StateDictPickle::global(std::string_view module, std::string_view name) {
  std::string line(module);
  line += '\n';
  line += name;
  line += '\n';
  const auto [found, is_new] = memo_.emplace(line, static_cast<char>(memo_.size()));
  if (is_new) {
    bytes_ += 'c' + line + 'q';
  } else {
    bytes_ += 'h';
  }
  bytes_ += found->second;
}

void StateDictPickle::empty_ordered_dict() {
  global("collections", "OrderedDict");
  bytes_ += ")R";
}

}  // namespace lamina::models::torch
