#include "models/load.h"

#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/safetensors.h"
#include "models/metadata.h"
#include "nn/state.h"

namespace lamina::models {
namespace {

Tensor ohwi_to_oihw(const Tensor& from) {
  const Shape& s = from.shape();
  Tensor to = Tensor::uninitialized({s[0], s[3], s[1], s[2]});
  const std::size_t pixels = s[1] * s[2];
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t output = i / (pixels * s[3]);
    to.data()[(output * s[3] + i % s[3]) * pixels + i / s[3] % pixels] = from.data()[i];
  }
  return to;
}

// The same values seen as [O, KH, KW, I].
StoredTensor oihw_to_ohwi(const StoredTensor& from) {
  StoredTensor to = from;
  if (from.shape.size() == 4) {
    const std::vector<std::uint64_t>& s = from.shape;
    const std::vector<std::uint64_t> rows = {s[1] * s[2] * s[3], s[2] * s[3], s[3], 1};
    const std::vector<std::uint64_t>& strides = from.strides.empty() ? rows : from.strides;
    to.shape = {s[0], s[2], s[3], s[1]};
    to.strides = {strides[0], strides[2], strides[3], strides[1]};
  }
  return to;
}

bool has_norm(const std::map<std::string, Shape>& shapes) {
  return std::ranges::any_of(
      shapes, [](const auto& entry) { return entry.first.ends_with(".running_var"); });
}

bool has_norm(MobileNetV2& net) {
  return std::ranges::any_of(nn::named_tensors(net), [](const nn::NamedTensor& tensor) {
    return tensor.kind == nn::TensorKind::buffer;
  });
}

// The tensors that are loaded, by their shapes in the network's layout.
std::map<std::string, Shape> shapes_of(const Archive& archive, const std::string& name) {
  std::map<std::string, Shape> shapes;
  for (const auto& [tensor, stored] : archive.tensors) {
    if (is_loaded(stored)) {
      check_rank(stored, tensor, name);
      const StoredTensor turned = oihw_to_ohwi(stored);
      const std::vector<std::size_t> extents(turned.shape.begin(), turned.shape.end());
      shapes.emplace(tensor, Shape(std::span<const std::size_t>(extents)));
    }
  }
  return shapes;
}

void check_state(MobileNetV2& net, const std::map<std::string, Shape>& shapes,
                 const Renamed& checkpoint, const std::string& name) {
  const std::string mismatch = nn::state_mismatch(nn::named_tensors(net), shapes);
  const Naming naming = checkpoint.naming.value_or(Naming::torchvision);
  const std::string whose =
      naming == Naming::torchvision && checkpoint.prefix.empty()
          ? ""
          : text(" (as torchvision's names: the file's are ", name_of(naming), "'s",
                 checkpoint.prefix.empty() ? "" : " after " + in_quotes(checkpoint.prefix), ')');
  check(mismatch.empty(), "load: ", name, ": tensors must be those of a MobileNetV2 of width ",
        net.options().width, " with ", net.options().classes, " classes: ", mismatch, whose);
}

// Float32 values, seen as a file's.
Archive view_of(const Checkpoint& checkpoint) {
  Archive archive;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    archive.tensors[name] = {.type = find_element_type("F32"),
                             .shape = {tensor.shape().begin(), tensor.shape().end()},
                             .bytes = {reinterpret_cast<const std::uint8_t*>(tensor.data()),
                                       tensor.size() * sizeof(float)}};
  }
  return archive;
}

}  // namespace

// One tensor after the other, so that no second copy of all of them is ever there.
void load(MobileNetV2& net, const Renamed& checkpoint, const std::string& name) {
  const Archive& archive = checkpoint.archive;
  check_growth(archive, name);
  const std::map<std::string, Shape> shapes = shapes_of(archive, name);
  const bool folds = has_norm(net) && !has_norm(shapes);
  if (folds) {
    MobileNetV2 folded(net.options());
    nn::fold_batch_norm(folded);
    check_state(folded, shapes, checkpoint, name);
    nn::fold_batch_norm(net);
  } else {
    check_state(net, shapes, checkpoint, name);
  }
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    const Tensor values = to_float(oihw_to_ohwi(archive.tensors.at(tensor.name)));
    std::ranges::copy(values.values(), tensor.value->data());
  }
}

void load(MobileNetV2& net, const Checkpoint& checkpoint, const std::string& name) {
  load(net, Renamed{.archive = view_of(checkpoint)}, name);
}

void load(MobileNetV2& net, const std::filesystem::path& path) {
  load(net, with_our_names(read_archive(path)), path.string());
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
