#include "models/checkpoint/json_items.h"

#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"

namespace lamina::models {
namespace {

constexpr int kNumberOutOfRange = 406;  // the JSON library's number of that error
constexpr std::size_t kPrinted = 64;    // bytes of a string
constexpr std::size_t kDigits = 400;    // in a row: more than a double has

}  // namespace

void JsonItems::read() {
  check_strings();
  nlohmann::json::json_sax_t* events = this;
  nlohmann::json::sax_parse(text_.begin(), text_.end(), events);
}

// The JSON library keeps several copies of the string or number that it reads.
void JsonItems::check_strings() const {
  bool inside = false;
  std::size_t begin = 0, digits = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    digits = !inside && text_[i] >= '0' && text_[i] <= '9' ? digits + 1 : 0;
    if (digits > kDigits) {
      refuse("header must hold numbers in range: one of them is too large");
    }
    if (inside && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == '"') {
      if (inside && i - begin > limits::kSafetensorsString) {
        refuse("header's strings must have at most ", limits::kSafetensorsString,
               " bytes: one has ", i - begin - 1);
      }
      inside = !inside;
      begin = i;
    }
  }
}

bool JsonItems::number_integer(number_integer_t value) {
  return take({"number", std::to_string(value)});
}

bool JsonItems::number_unsigned(number_unsigned_t value) {
  return take({.kind = "number", .printed = std::to_string(value), .size = value});
}

bool JsonItems::number_float(number_float_t, const std::string& printed) {
  return take({"number", printed.substr(0, kPrinted)});
}

bool JsonItems::string(std::string& value) {
  return take({"string", in_quotes(std::string_view(value).substr(0, kPrinted)), &value});
}

bool JsonItems::key(std::string& name) {
  on_key(name);
  return true;
}

bool JsonItems::parse_error(std::size_t byte, const std::string&,
                            const nlohmann::json::exception& error) {
  if (error.id == kNumberOutOfRange) {
    refuse("header must hold numbers in range: one of them is too large");
  }
  refuse("header must be JSON: byte ", byte, " of ", text_.size(), " is not");
}

bool JsonItems::take(const JsonItem& item) {
  on_item(item);
  return true;
}

bool JsonItems::open(const JsonItem& item) {
  on_item(item);
  if (++depth_ > limits::kSafetensorsDepth) {
    refuse("header must be nested at most ", limits::kSafetensorsDepth,
           " levels deep: it has more");
  }
  return true;
}

bool JsonItems::close() {
  --depth_;
  on_close();
  return true;
}

}  // namespace lamina::models
