#include "tests/models/training_reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/safetensors.h"
#include "tests/support/folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

// A tensor of integers, which checkpoints leave out.
std::vector<std::uint32_t> read_labels() {
  const std::string bytes = read_file(path_of("train_mnv2_035_batch.safetensors"));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto header = nlohmann::json::parse(bytes.substr(sizeof length, length));
  const std::size_t begin = header["labels"]["data_offsets"][0];
  std::vector<std::uint32_t> labels(header["labels"]["shape"][0].get<std::size_t>());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::int64_t label = 0;
    std::memcpy(&label, &bytes.at(sizeof length + length + begin + i * sizeof label), sizeof label);
    labels[i] = static_cast<std::uint32_t>(label);
  }
  return labels;
}

}  // namespace

std::filesystem::path path_of(const std::string& name) { return shared_data() / "training" / name; }

Tensor channels_last(const Tensor& x) {
  const Shape& s = x.shape();
  if (s.rank() != 4) {
    return x;
  }
  const std::size_t pixels = s[2] * s[3];
  Tensor y = Tensor::uninitialized({s[0], s[2], s[3], s[1]});
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t image = i / s[1] / pixels;
    const std::size_t pixel = i / s[1] % pixels;
    y.data()[i] = x.data()[(image * s[1] + i % s[1]) * pixels + pixel];
  }
  return y;
}

Tensors with_prefix(const Tensors& tensors, const std::string& prefix) {
  Tensors found;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) {
      found[name.substr(prefix.size())] = channels_last(tensor);
    }
  }
  return found;
}

Batch read_batch() {
  const auto batch = models::read_checkpoint(path_of("train_mnv2_035_batch.safetensors"));
  return {channels_last(batch.tensors.at("input")), read_labels()};
}

Values doubles_of(const Tensors& tensors) {
  Values values;
  for (const auto& [name, tensor] : tensors) {
    values[name] = doubles(tensor);
  }
  return values;
}

double Distance::relative() const { return std::sqrt(squares / want_squares); }

Distance distance(std::span<const double> got, std::span<const double> want) {
  Distance d;
  EXPECT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    const double error = std::abs(got[i] - want[i]);
    EXPECT_TRUE(std::isfinite(error)) << "at " << i;
    d.squares += error * error;
    d.largest = std::max(d.largest, error);
    d.want_squares += want[i] * want[i];
    d.want_largest = std::max(d.want_largest, std::abs(want[i]));
  }
  return d;
}

}  // namespace lamina::test
