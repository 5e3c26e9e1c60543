#include "models/load.h"

#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/safetensors.h"
#include "models/metadata.h"
#include "nn/state.h"

namespace lamina::models {
namespace {

// Matrices [rows, columns] one after the other, each transposed. An empty tensor may still have any
// number of matrices.
Tensor transposed(const Tensor& from, std::size_t rows, std::size_t columns, const Shape& shape) {
  Tensor to = Tensor::uninitialized(shape);
  for (std::size_t offset = 0; offset < from.size(); offset += rows * columns) {
    for (std::size_t i = 0; i < rows * columns; ++i) {
      to.data()[offset + i % columns * rows + i / columns] = from.data()[offset + i];
    }
  }
  return to;
}

Tensor oihw_to_ohwi(const Tensor& from) {
  const Shape& s = from.shape();
  return transposed(from, s[1], s[2] * s[3], {s[0], s[2], s[3], s[1]});
}

Tensor ohwi_to_oihw(const Tensor& from) {
  const Shape& s = from.shape();
  return transposed(from, s[1] * s[2], s[3], {s[0], s[3], s[1], s[2]});
}

nn::StateDict to_state(const Checkpoint& checkpoint) {
  nn::StateDict state;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    state.emplace(name, tensor.shape().rank() == 4 ? oihw_to_ohwi(tensor) : tensor);
  }
  return state;
}

bool has_norm(MobileNetV2& net) {
  return std::ranges::any_of(nn::named_tensors(net), [](const nn::NamedTensor& tensor) {
    return tensor.kind == nn::TensorKind::buffer;
  });
}

void check_state(MobileNetV2& net, const nn::StateDict& state, const std::string& name) {
  const std::string mismatch = nn::state_mismatch(net, state);
  check(mismatch.empty(), "load: ", name, ": tensors must be those of a MobileNetV2 of width ",
        net.options().width, " with ", net.options().classes, " classes: ", mismatch);
}

}  // namespace

void load(MobileNetV2& net, const Checkpoint& checkpoint, const std::string& name) {
  const nn::StateDict state = to_state(checkpoint);
  if (has_norm(net) && !has_norm(checkpoint)) {
    MobileNetV2 folded(net.options());
    nn::fold_batch_norm(folded);
    check_state(folded, state, name);
    nn::fold_batch_norm(net);
  } else {
    check_state(net, state, name);
  }
  nn::load_state(net, state);
}

void load(MobileNetV2& net, const std::filesystem::path& path) {
  load(net, read_checkpoint(path), path.string());
}

Checkpoint to_checkpoint(MobileNetV2& net) {
  Checkpoint checkpoint;
  for (const auto& [name, tensor] : nn::state_dict(net)) {
    checkpoint.tensors.emplace(name, tensor.shape().rank() == 4 ? ohwi_to_oihw(tensor) : tensor);
  }
  store(net.options(), has_norm(net) ? NormState::separate : NormState::folded,
        checkpoint.metadata);
  return checkpoint;
}

void save(MobileNetV2& net, const data::Preprocessing& preprocessing,
          const std::filesystem::path& path) {
  Checkpoint checkpoint = to_checkpoint(net);
  data::store(preprocessing, checkpoint.metadata);
  write_safetensors(path, checkpoint);
}

}  // namespace lamina::models
