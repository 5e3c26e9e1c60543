#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/archive.h"
#include "models/checkpoint/torch/pickle.h"

namespace lamina::models::torch {

/// A storage as a pickle refers to it: `count` elements of a type, under a key; or a part of it, as
/// files of PyTorch before 1.0 have.
struct StorageRef {
  const Global* type = nullptr;
  std::string_view key;
  std::uint64_t count = 0;
  std::uint64_t view_begin = 0, view_count = 0;  ///< in elements; all of it without a view
};

/// The reference that a persistent value is: ("storage", type, key, device, count[, view]). Throws
/// Error, its message begun with `prefix`.
StorageRef read_storage_ref(const Pickle& pickle, Value value, const std::string& prefix);

/// Where a file keeps its storages.
class Storages {
 public:
  virtual ~Storages() = default;

  /// The bytes of the storage, at least those of its elements. Throws Error.
  virtual std::span<const std::uint8_t> bytes(const StorageRef& storage) = 0;
};

/// Tensors from the calls in a pickle that would rebuild them.
class TensorReader {
 public:
  TensorReader(const Pickle& pickle, Storages& storages, std::string prefix)
      : pickle_(pickle), storages_(storages), prefix_(std::move(prefix)) {}

  /// Whether the value is a tensor or parameter, in constant time.
  bool is_tensor(Value value) const { return find_call(value).has_value(); }

  /// The tensor, checked against its storage; empty when its elements are of a kind that is not
  /// read, as complex numbers. Throws Error.
  std::optional<StoredTensor> read(Value value, std::string_view name) const;

 private:
  struct Call {
    Meaning meaning;
    std::span<const Value> arguments;
  };

  // The call that makes the tensor, below those that wrap it.
  std::optional<Call> find_call(Value value) const;
  std::optional<StoredTensor> read(const Call& call, const std::string& prefix) const;
  std::vector<std::uint64_t> sizes(Value value, const std::string& prefix) const;
  void place(StoredTensor& tensor, std::span<const std::uint8_t> elements, std::uint64_t offset,
             const std::string& prefix) const;
  Quantization quantization(Value quantizer, const StoredTensor& tensor,
                            const std::string& prefix) const;
  std::vector<double> numbers(Value value, const std::string& prefix) const;

  const Pickle& pickle_;
  Storages& storages_;
  std::string prefix_;
};

}  // namespace lamina::models::torch
