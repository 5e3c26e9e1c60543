#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

/// What PyTorch made of MobileNetV2 of width 0.35, ten classes, and four pictures of 64 x 64.
namespace lamina::test {

/// The first step from a state, as a file tells it.
struct FirstStepCase {
  const char* name;
  const char* state;
  const char* want;
};
inline const FirstStepCase kFirstStepCases[] = {
    {"Init", "mnv2_035_init_state_f32.safetensors", "train_mnv2_035_init_ls0_f64.safetensors"},
    {"PerturbedSmoothed", "mnv2_035_perturbed_state_f32.safetensors",
     "train_mnv2_035_perturbed_ls01_f64.safetensors"}};

using Tensors = std::map<std::string, Tensor>;
using Values = std::map<std::string, std::vector<double>>;

/// Of that name among the references of training.
std::filesystem::path path_of(const std::string& name);

/// [N, C, H, W] to [N, H, W, C], and so [O, I, KH, KW] to [O, KH, KW, I]; others as they are.
Tensor channels_last(const Tensor& x);

/// The tensors whose names begin with `prefix`, without it, channels last.
Tensors with_prefix(const Tensors& tensors, const std::string& prefix);

Values doubles_of(const Tensors& tensors);

struct Batch {
  Tensor images;
  std::vector<std::uint32_t> labels;
};

Batch read_batch();

/// How far apart two arrays are, and how large the wanted one is. Not finite fails the test.
struct Distance {
  double squares = 0.0;
  double largest = 0.0;
  double want_squares = 0.0;
  double want_largest = 0.0;

  double relative() const;
};
Distance distance(std::span<const double> got, std::span<const double> want);

}  // namespace lamina::test
