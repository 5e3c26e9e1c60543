#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace lamina::models {

/// Inside models/checkpoint only: one thing in a JSON text.
struct JsonItem {
  std::string_view kind;          ///< "object", "array", "string", "number", "boolean", "null"
  std::string printed = {};       ///< of strings the beginning, of numbers all of it
  std::string* string = nullptr;  ///< of strings: to be moved from
  std::optional<std::uint64_t> size = {};  ///< of whole numbers
};

/// Reads a JSON text once from its beginning to its end and hands each item to a derived class: no
/// tree is built, whatever the text holds. Errors begin with `prefix`.
class JsonItems : public nlohmann::json::json_sax_t {
 public:
  JsonItems(std::string_view text, std::string_view prefix) : text_(text), prefix_(prefix) {}

  /// Throws Error when it is no JSON, nested deeper or with longer strings than limits.h allows.
  void read();

 protected:
  virtual void on_key(std::string& name) = 0;
  virtual void on_item(const JsonItem& item) = 0;
  virtual void on_close() = 0;  ///< an object or a list, depth() already that around it

  /// How many objects and lists are open around the item.
  std::size_t depth() const { return depth_; }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    throw Error(text(prefix_, parts...));
  }

 private:
  bool null() override { return take({"null", "null"}); }
  bool boolean(bool value) override { return take({"boolean", value ? "true" : "false"}); }
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const std::string& printed) override;
  bool string(std::string& value) override;
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open({"object", "an object"}); }
  bool start_array(std::size_t) override { return open({"array", "a list"}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override;
  bool parse_error(std::size_t byte, const std::string&,
                   const nlohmann::json::exception& error) override;

  void check_strings() const;
  bool take(const JsonItem& item);
  bool open(const JsonItem& item);
  bool close();

  std::string_view text_, prefix_;
  std::size_t depth_ = 0;
};

}  // namespace lamina::models
