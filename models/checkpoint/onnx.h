#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "models/checkpoint/graph_file.h"

/// Networks as ONNX files, opsets 7 to 20: read into graphs that nn::compile() takes, and written.
namespace lamina::models {

struct OnnxOptions {
  /// Pixels of the input where the file leaves them open; 0: the file has to say.
  std::size_t height = 0, width = 0;
  /// The value to compute; empty: the graph's only output.
  std::string output = {};
  /// The folder whose plain files may hold weights that the model keeps outside of itself, as a
  /// rule the model's own; empty: such a model is refused.
  std::filesystem::path external_folder = {};
};

/// A classifier or any network of convolutions, batch norm, clamps, additions, pools and matrix
/// products. The graph takes one image [1, H, W, C] and gives [1, C], or [1, H, W, C] where the
/// file's network ends in an image, whether the file has channels first or last. `name` stands for
/// the file. Throws Error when the bytes are not such a model: the node, its operation and what is
/// wrong with it.
GraphFile parse_onnx(std::span<const std::uint8_t> bytes, std::string_view name,
                     const OnnxOptions& options = {});
GraphFile read_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

struct OnnxExport {
  int opset = 17;  ///< 13 or 17
  std::string input = "input";
  std::string output = "logits";
  std::map<std::string, std::string> metadata = {};  ///< goes into metadata_props
};

/// Writes the graph with images [N, C, H, W], the batch open, named and ordered as PyTorch's
/// exporter does: complete under that name or not at all. Throws Error when it cannot be written,
/// the opset is another, or the graph's input is not an image.
void write_onnx(const std::filesystem::path& path, const nn::Graph& graph,
                const OnnxExport& options = {});

}  // namespace lamina::models
