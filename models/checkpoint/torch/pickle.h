#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/torch/globals.h"

namespace lamina::models::torch {

/// Kinds of values. A call is a global with its arguments, that Python would call; a persistent
/// value is what stands in the pickle for something stored elsewhere: storages.
enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  text,
  bytes,  ///< and integers of over 64 bits
  tuple,
  list,
  dict,
  global,
  call,
  persistent
};

/// A handle of a value in a Pickle: values may be shared, and lists and dicts hold themselves.
struct Value {
  std::uint32_t index = 0;
};

/// A pickle as a graph of inert values (Python's pickle protocols 2 to 5, the opcodes that state
/// dicts need). All lie in a few arrays, so that nothing is recursive, and texts are those in the
/// pickle, which must outlive it. An accessor's value must be of its kind.
class Pickle {
 public:
  /// Reads the pickle that `bytes` begin with, in time linear in its length. Throws Error, its
  /// message begun with `prefix`, that names the offset: at an opcode or global that is not on the
  /// list, and beyond the caps on size, depth, texts and values.
  Pickle(std::span<const std::uint8_t> bytes, const std::string& prefix);

  Value root() const { return root_; }

  /// The bytes that the pickle takes.
  std::size_t size() const { return size_; }

  /// The number of values; indices are below it.
  std::size_t values() const { return nodes_.size(); }

  Kind kind(Value value) const { return nodes_[value.index].kind; }
  bool is(Value value, Kind kind) const { return this->kind(value) == kind; }

  /// Of a boolean or integer.
  std::int64_t integer(Value value) const { return nodes_[value.index].integer; }
  double real(Value value) const { return nodes_[value.index].real; }
  std::string_view text(Value value) const;

  /// A tuple's or list's items; a dict's keys and values in turn; a call's global and tuple of
  /// arguments; a persistent value's id.
  std::span<const Value> items(Value value) const;

  const Global& global(Value value) const { return *nodes_[value.index].global; }

  /// What the global means that a call calls; Meaning::other for other values.
  Meaning called(Value value) const;

  /// Where the value was made, in bytes from the pickle's begin.
  std::uint32_t offset(Value value) const { return nodes_[value.index].offset; }

 private:
  friend class PickleMachine;

  struct Range {
    std::uint32_t begin, size;
  };

  struct Node {
    Kind kind = Kind::none;
    std::uint32_t offset = 0;
    union {
      std::int64_t integer = 0;
      double real;
      Range range;  // of bytes_ or items_; of a list or dict, `begin` of containers_
      const Global* global;
    };
  };

  std::span<const std::uint8_t> bytes_;
  std::vector<Node> nodes_;
  std::vector<Value> items_;                    // of all that never change
  std::vector<std::vector<Value>> containers_;  // lists and dicts
  Value root_;
  std::size_t size_ = 0;
};

}  // namespace lamina::models::torch
