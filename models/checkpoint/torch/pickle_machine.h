#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "models/checkpoint/torch/bytes.h"
#include "models/checkpoint/torch/pickle.h"

namespace lamina::models::torch {

/// Inside torch only: the machine with a stack and a memo that a pickle is a program for. Each
/// opcode is a member, found in a table; what is not in the table is an error.
class PickleMachine {
 public:
  using Step = void (PickleMachine::*)();

  PickleMachine(Pickle& pickle, const std::string& prefix);

  /// Runs to the STOP opcode.
  void run();

  void protocol();
  void frame();
  void stop();
  void mark();

  void none() { stack_.push_back({0}); }
  void no() { stack_.push_back({1}); }
  void yes() { stack_.push_back({2}); }
  template <class Number>
  void integer() {
    push_integer(take<Number>());
  }
  template <class Size>
  void long_integer();
  void real();
  template <class Size, Kind kKind>
  void text();

  template <std::size_t kSize>
  void tuple();
  void tuple_to_mark();
  void list() { push_container(Kind::list); }
  void dict() { push_container(Kind::dict); }
  void append();
  void appends();
  void set_item();
  void set_items();

  void memoize();
  template <class Index>
  void put() {
    remember(take<Index>());
  }
  template <class Index>
  void get();

  void global();
  void stack_global();
  void reduce();
  void build();
  void persistent();

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  template <class Number>
  Number take() {
    need(sizeof(Number));
    at_ += sizeof(Number);
    return number_at<Number>(pickle_.bytes_, at_ - sizeof(Number));
  }

  void need(std::uint64_t bytes) const;
  Pickle::Node& push(Kind kind);
  void push_integer(std::int64_t number);
  void push_text(Kind kind, std::uint64_t size);
  Pickle::Range keep(std::span<const Value> items);
  void push_items(Kind kind, std::span<const Value> items);
  void push_container(Kind kind);
  void push_global(std::string_view module, std::string_view name);
  std::string_view line();
  Value pop();
  Value top() const;
  std::size_t pop_mark();
  void move_to_container(std::size_t first, Kind kind);
  void add_pairs(Value list);
  void remember(std::uint64_t index);

  Pickle& pickle_;
  const std::string& prefix_;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::vector<std::uint32_t> memo_;  // index + 1, 0 where nothing is remembered
  std::size_t floor_ = 0;            // the stack's size at the last mark
  std::size_t memoized_ = 0;
  std::size_t pairs_ = 0;  // that OrderedDicts were made of
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
  bool is_running_ = true;
};

}  // namespace lamina::models::torch
