#pragma once

#include <filesystem>
#include <map>
#include <onnx.pb.h>
#include <string>
#include <vector>

#include "models/checkpoint/onnx/constant.h"

namespace lamina::models::onnx {

/// The plain files beside a model that hold its weights. Their names come from the model, which is
/// not trusted: nothing but a regular file directly in the folder is opened, no link followed.
class ExternalData {
 public:
  /// An empty folder: every model that needs one is refused. Files justify more of the budget.
  ExternalData(std::filesystem::path folder, Budget& budget)
      : folder_(std::move(folder)), budget_(budget) {}

  /// The bytes that the tensor's location, offset and length name, `size` of them. Throws Error
  /// when there are no such bytes.
  std::vector<std::uint8_t> read(const proto::Tensor& tensor, std::size_t size);

 private:
  std::filesystem::path folder_;
  Budget& budget_;
  std::map<std::string, std::uint64_t> sizes_;  // of the files that were used
};

}  // namespace lamina::models::onnx
