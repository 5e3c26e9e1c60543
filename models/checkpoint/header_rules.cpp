#include "models/checkpoint/header_rules.h"

#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "models/checkpoint/limits.h"

namespace lamina::models {
namespace {

using limits::kSafetensorsDepth;
using nlohmann::json;

constexpr int kNumberOutOfRange = 406;  // the JSON library's number of that error

// Not the library's parser callback: that takes time by the square of an object's members.
class HeaderRules : public json::json_sax_t {
 public:
  HeaderRules(std::size_t size, std::string_view prefix) : size_(size), prefix_(prefix) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(json::number_integer_t) override { return true; }
  bool number_unsigned(json::number_unsigned_t) override { return true; }
  bool number_float(json::number_float_t, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(json::binary_t&) override { return true; }

  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (!names_[depth_ - 1].insert(name).second) {
      throw Error(text(prefix_, "names must differ: ", in_quotes(name), " comes twice"));
    }
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const json::exception& error) override {
    check(error.id != kNumberOutOfRange, prefix_,
          "header must hold numbers in range: one of them is too large");
    throw Error(text(prefix_, "header must be JSON: byte ", byte, " of ", size_, " is not"));
  }

 private:
  bool open() {
    check(depth_ < kSafetensorsDepth, prefix_, "header must be nested at most ", kSafetensorsDepth,
          " levels deep: it has more");
    names_[depth_++].clear();
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  std::size_t size_;
  std::string_view prefix_;
  std::size_t depth_ = 0;
  std::array<std::set<std::string>, kSafetensorsDepth> names_;
};

}  // namespace

void check_header_rules(std::string_view header, std::string_view prefix) {
  HeaderRules rules(header.size(), prefix);
  json::sax_parse(header.begin(), header.end(), &rules);
}

std::string in_quotes(std::string_view name) {
  return json(name).dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace lamina::models
