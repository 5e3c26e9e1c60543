#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/variant.h"

/// What inspect finds in a file.
namespace lamina::apps {

/// A tensor and its values.
struct TensorFacts {
  std::string name, type;
  std::vector<std::uint64_t> shape;
  double lowest = 0.0, mean = 0.0, highest = 0.0;  ///< of the finite values
  std::uint64_t size = 0, nan = 0, infinite = 0, denormal = 0;
};

/// How much a network is and does, for one picture.
struct Counts {
  std::size_t side = 0;           ///< of the picture, pixels
  std::size_t parameters = 0;     ///< with batch norm's weights and biases, as PyTorch counts
  std::size_t multiply_adds = 0;  ///< of convolutions and classifier, as the paper counts
  std::size_t mmcls_flops = 0;    ///< MMClassification's: norms and activations too, no classifier
};

struct Report {
  std::string file, container = {};
  std::uint64_t bytes = 0;
  std::string difference = {};                 ///< why it is no MobileNetV2; empty: it is one
  std::string names = {};                      ///< whose names the tensors have; empty: unknown
  std::vector<models::Finding> findings = {};  ///< of a MobileNetV2
  std::optional<Counts> counts = {};           ///< of a MobileNetV2
  std::vector<models::Finding> contents = {};  ///< of other files
  std::vector<TensorFacts> tensors = {};
  std::map<std::string, std::string> metadata = {};
  std::vector<std::string> remarks = {};
  std::vector<std::string> suspicious = {};
};

/// Reads the file and all values in it. Throws Error when it cannot be read.
Report inspect(const std::filesystem::path& path, const models::VariantOptions& given);

/// The report as text for people, control characters escaped, and as one JSON object and a line
/// end.
enum class Tensors { listed, counted };
std::string as_text(const Report& report, Tensors tensors);
std::string as_json(const Report& report, Tensors tensors);

}  // namespace lamina::apps
