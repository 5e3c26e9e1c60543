#include "tests/models/support.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/random.h"

namespace lamina::test {

void randomize(models::MobileNetV2& net, std::uint64_t seed) {
  Rng rng(seed);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    const Shape& shape = tensor.value->shape();
    const float scale =
        shape.rank() == 1
            ? 0.1f
            : std::sqrt(2.0f * static_cast<float>(shape[0]) / static_cast<float>(shape.size()));
    const bool near_one = tensor.name.ends_with("running_var");
    for (float& value : tensor.value->values()) {
      value = (near_one ? 1.0f : 0.0f) + scale * rng.uniform(-1.0f, 1.0f);
    }
  }
}

std::vector<std::uint8_t> safetensors_file(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::vector<std::uint8_t> bytes(sizeof length + header.size() + data.size());
  std::memcpy(bytes.data(), &length, sizeof length);
  std::ranges::copy(header, bytes.begin() + sizeof length);
  std::ranges::copy_backward(data, bytes.end());
  return bytes;
}

models::Archive to_archive(const models::Checkpoint& checkpoint) {
  const auto kept = std::make_shared<const models::Checkpoint>(checkpoint);
  models::Archive archive{.container = "memory", .metadata = kept->metadata, .file = kept};
  for (const auto& [name, tensor] : kept->tensors) {
    archive.tensors[name] = {
        .type = models::find_element_type("F32"),
        .shape = {tensor.shape().begin(), tensor.shape().end()},
        .bytes = {reinterpret_cast<const std::uint8_t*>(tensor.data()), 4 * tensor.size()}};
  }
  return archive;
}

}  // namespace lamina::test
