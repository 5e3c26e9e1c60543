#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "core/error.h"
#include "models/checkpoint/archive.h"
#include "models/checkpoint/torch/writer.h"

namespace {

using namespace lamina;
using nlohmann::json;

std::string in_hex(const std::vector<std::uint8_t>& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string digits;
  for (const std::uint8_t byte : bytes) {
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits;
}

json describe(const models::StoredTensor& tensor) {
  json object = {{"type", tensor.type->name},
                 {"shape", tensor.shape},
                 {"bytes", in_hex(models::packed(tensor))}};
  if (tensor.quantization != nullptr) {
    object["scales"] = tensor.quantization->scales;
    object["zero_points"] = tensor.quantization->zero_points;
    object["axis"] = tensor.quantization->axis;
  }
  return object;
}

json read(const std::string& path) {
  const models::Archive archive = models::read_archive(path);
  json object = {{"container", archive.container},
                 {"metadata", archive.metadata},
                 {"remarks", archive.remarks},
                 {"tensors", json::object()}};
  for (const auto& [name, tensor] : archive.tensors) {
    object["tensors"][name] = describe(tensor);
  }
  return object;
}

json answer(const std::string& line) {
  std::istringstream words(line);
  std::string verb, from, to;
  words >> verb >> from >> to;
  if (verb == "read") {
    return read(from);
  }
  models::write_torch(to, models::read_checkpoint(from));
  return json::object();
}

}  // namespace

/// Each line of the standard input is "read FILE" or "write FROM TO"; the answer is a line of JSON.
int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << answer(line) << std::endl;
    } catch (const Error& error) {
      std::cout << json{{"error", error.what()}} << std::endl;
    }
  }
}
