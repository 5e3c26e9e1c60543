#include <algorithm>
#include <array>
#include <charconv>
#include <iomanip>
#include <nlohmann/json.hpp>

#include "apps/inspect/report.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestText = 200;

// What a file calls something must not move the cursor or forge lines.
std::string escaped(std::string_view raw) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string clean;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      clean += c;
    } else if (c == '\n') {
      clean += "\\n";
    } else {
      clean += "\\x";
      clean += kDigits[byte >> 4];
      clean += kDigits[byte & 15];
    }
  }
  return clean;
}

std::string clipped(std::string_view raw) {
  return raw.size() <= kLongestText
             ? escaped(raw)
             : text(escaped(raw.substr(0, kLongestText)), "... (", raw.size(), " bytes)");
}

std::string with_commas(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string grouped;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) {
      grouped += ',';
    }
    grouped += digits[i];
  }
  return grouped;
}

std::string row(std::string_view what, std::string_view value) {
  return text("  ", std::left, std::setw(16), what, value, '\n');
}

std::string shape_of(const TensorFacts& facts) {
  std::string shape = "[";
  for (const std::uint64_t extent : facts.shape) {
    shape += text(shape.size() == 1 ? "" : ", ", extent);
  }
  return shape + ']';
}

std::string number(double value) {
  std::array<char, 32> digits{};
  const auto end =
      std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general, 6);
  return {digits.data(), end.ptr};
}

std::uint64_t values_of(const Report& report) {
  std::uint64_t values = 0;
  for (const TensorFacts& facts : report.tensors) {
    values += facts.size;
  }
  return values;
}

std::string network_rows(const Report& report) {
  std::string rows;
  if (!report.findings.empty()) {
    rows += row("network", report.names.empty() ? "MobileNetV2"
                                                : text("MobileNetV2 (", report.names, "'s names)"));
  }
  for (const auto& [what, value, why] : report.findings) {
    rows += row(what, text(escaped(value), " (", why, ')'));
  }
  if (report.counts) {
    rows += row("parameters", with_commas(report.counts->parameters));
    rows += row("multiply-adds", text(with_commas(report.counts->multiply_adds), " at ",
                                      report.counts->side, " pixels (the paper's count)"));
    rows +=
        row("FLOPs", text(with_commas(report.counts->mmcls_flops), " as mmcls counts, ",
                          with_commas(2 * report.counts->multiply_adds), " as two a multiply-add"));
  }
  for (const auto& [what, value, why] : report.contents) {
    rows += row(what, escaped(value));
  }
  if (!report.difference.empty()) {
    rows += row("network", "not a MobileNetV2: " + clipped(report.difference));
  }
  return rows;
}

std::string tensor_lines(const Report& report) {
  std::string lines = "tensors:\n";
  for (const TensorFacts& facts : report.tensors) {
    lines += text("  ", escaped(facts.name), "  ", facts.type, ' ', shape_of(facts), "  min ",
                  number(facts.lowest), "  mean ", number(facts.mean), "  max ",
                  number(facts.highest), '\n');
  }
  return lines;
}

Json to_json(const TensorFacts& facts) {
  return {{"name", facts.name},  {"type", facts.type},         {"shape", facts.shape},
          {"min", facts.lowest}, {"mean", facts.mean},         {"max", facts.highest},
          {"nan", facts.nan},    {"infinite", facts.infinite}, {"denormal", facts.denormal}};
}

Json to_json(const std::vector<models::Finding>& findings) {
  Json object = Json::object();
  for (const auto& [what, value, why] : findings) {
    object[what] = {{"value", value}, {"why", why}};
  }
  return object;
}

}  // namespace

std::string as_text(const Report& report, Tensors tensors) {
  std::string out = text(escaped(report.file), ": ", escaped(report.container), ", ",
                         with_commas(report.bytes), " bytes\n");
  out += network_rows(report);
  if (!report.tensors.empty()) {
    out += row("tensors", text(with_commas(report.tensors.size()), " with ",
                               with_commas(values_of(report)), " values"));
  }
  for (const auto& [key, value] : report.metadata) {
    out += row("metadata", text(escaped(key), " = ", clipped(value)));
  }
  for (const std::string& remark : report.remarks) {
    out += row("note", escaped(remark));
  }
  for (const std::string& thing : report.suspicious) {
    out += row("suspicious", escaped(thing));
  }
  return tensors == Tensors::listed ? out + tensor_lines(report) : out;
}

std::string as_json(const Report& report, Tensors tensors) {
  Json json = {{"file", report.file}, {"container", report.container}, {"bytes", report.bytes}};
  json["mobilenet_v2"] = !report.findings.empty();
  if (!report.difference.empty()) {
    json["difference"] = report.difference;
  }
  if (!report.names.empty()) {
    json["names"] = report.names;
  }
  json["variant"] = to_json(report.findings);
  if (report.counts) {
    json["counts"] = {{"side", report.counts->side},
                      {"parameters", report.counts->parameters},
                      {"multiply_adds", report.counts->multiply_adds},
                      {"flops_mmcls", report.counts->mmcls_flops},
                      {"flops", 2 * report.counts->multiply_adds}};
  }
  json["contents"] = to_json(report.contents);
  json["metadata"] = report.metadata;
  json["notes"] = report.remarks;
  json["suspicious"] = report.suspicious;
  json["tensor_count"] = report.tensors.size();
  if (tensors == Tensors::listed) {
    json["tensors"] = Json::array();
    for (const TensorFacts& facts : report.tensors) {
      json["tensors"].push_back(to_json(facts));
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace lamina::apps
