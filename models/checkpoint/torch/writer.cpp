#include "models/checkpoint/torch/writer.h"

#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "models/checkpoint/torch/pickle_writer.h"
#include "models/checkpoint/torch/zip_writer.h"

namespace lamina::models {
namespace {

constexpr std::string_view kFolder = "archive";
constexpr std::string_view kMean = "running_mean";
constexpr std::string_view kCounter = "num_batches_tracked";

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Batch norms whose state is not complete without a counter.
std::vector<std::string> missing_counters(const Checkpoint& checkpoint) {
  std::vector<std::string> counters;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (name.ends_with(kMean)) {
      std::string counter = name.substr(0, name.size() - kMean.size());
      counter += kCounter;
      if (!checkpoint.tensors.contains(counter)) {
        counters.push_back(std::move(counter));
      }
    }
  }
  return counters;
}

}  // namespace

void write_torch(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  torch::StateDictPickle pickle;
  std::size_t key = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::vector<std::size_t> shape(tensor.shape().begin(), tensor.shape().end());
    pickle.add(name, "FloatStorage", std::to_string(key++), shape);
  }
  const std::vector<std::string> counters = missing_counters(checkpoint);
  for (const std::string& name : counters) {
    pickle.add(name, "LongStorage", std::to_string(key++), {});
  }
  torch::ZipWriter zip(path);
  zip.add(text(kFolder, "/data.pkl"), bytes_of(std::move(pickle).finish()));
  zip.add(text(kFolder, "/byteorder"), bytes_of("little"));
  key = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const auto* values = reinterpret_cast<const std::uint8_t*>(tensor.data());
    zip.add(text(kFolder, "/data/", key++), {values, tensor.size() * sizeof(float)});
  }
  for (std::size_t i = 0; i < counters.size(); ++i) {
    zip.add(text(kFolder, "/data/", key++), bytes_of(std::string(sizeof(std::int64_t), '\0')));
  }
  if (!checkpoint.metadata.empty()) {
    zip.add(text(kFolder, torch::kMetadataName),
            bytes_of(torch::pickle_texts(checkpoint.metadata)));
  }
  zip.add(text(kFolder, "/version"), bytes_of("3\n"));
  zip.commit();
}

}  // namespace lamina::models
