#include "models/checkpoint/torch/pickle_machine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iomanip>

#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/opcodes.h"

namespace lamina::models::torch {
namespace {

constexpr std::uint8_t kProtocol = 0x80;
constexpr int kOldest = 2, kNewest = 5;
constexpr std::size_t kWholeNumber = 8;
constexpr std::size_t kLongestName = 256;

// Where classes of networks live: who pickles one has pickled code's state, not tensors.
bool is_network(std::string_view module) {
  return std::ranges::any_of(
      std::to_array<std::string_view>({"torch.nn.", "torchvision.", "timm.", "mmcls.",
                                       "mmpretrain.", "torch.fx", "torch.ao.nn.", "torch.jit"}),
      [&](std::string_view folder) { return module.starts_with(folder); });
}

}  // namespace

PickleMachine::PickleMachine(Pickle& pickle, const std::string& prefix)
    : pickle_(pickle), prefix_(prefix) {
  pickle_.bytes_ =
      pickle_.bytes_.first(std::min<std::size_t>(pickle_.bytes_.size(), limits::kPickle));
  pickle_.nodes_.resize(3);
  pickle_.nodes_[1].kind = pickle_.nodes_[2].kind = Kind::boolean;
  pickle_.nodes_[2].integer = 1;
}

void PickleMachine::protocol() {
  const int version = take<std::uint8_t>();
  require(opcode_at_ == 0 && kOldest <= version && version <= kNewest,
          "pickle must begin with its protocol, ", kOldest, " to ", kNewest, ": byte ", opcode_at_,
          " says ", version);
}

void PickleMachine::frame() { need(take<std::uint64_t>()); }

void PickleMachine::stop() {
  require(stack_.size() == 1 && marks_.empty(), "pickle must end with one value: byte ", opcode_at_,
          " leaves ", stack_.size());
  pickle_.root_ = stack_[0];
  pickle_.size_ = at_;
  is_running_ = false;
}

void PickleMachine::mark() {
  require(marks_.size() < limits::kPickleDepth, "values must be nested at most ",
          limits::kPickleDepth, " deep: byte ", opcode_at_, " goes deeper");
  marks_.push_back(floor_);
  floor_ = stack_.size();
}

template <class Size>
void PickleMachine::long_integer() {
  const std::uint64_t size = take<Size>();
  need(size);
  if (size > kWholeNumber) {
    push_text(Kind::bytes, size);
    return;
  }
  std::uint64_t number = size > 0 && (pickle_.bytes_[at_ + size - 1] & 0x80) != 0 ? ~0ULL : 0;
  for (std::uint64_t i = size; i-- > 0;) {
    number = number << 8 | pickle_.bytes_[at_ + i];
  }
  at_ += size;
  push_integer(static_cast<std::int64_t>(number));
}

void PickleMachine::real() {
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) {
    bits = bits << 8 | take<std::uint8_t>();
  }
  push(Kind::real).real = std::bit_cast<double>(bits);
}

template <class Size, Kind kKind>
void PickleMachine::text() {
  push_text(kKind, take<Size>());
}

template <std::size_t kSize>
void PickleMachine::tuple() {
  std::array<Value, kSize> items;
  for (std::size_t i = kSize; i-- > 0;) {
    items[i] = pop();
  }
  push_items(Kind::tuple, items);
}

void PickleMachine::tuple_to_mark() {
  const std::size_t first = pop_mark();
  const Pickle::Range range = keep(std::span(stack_).subspan(first));
  stack_.resize(first);
  push(Kind::tuple).range = range;
}

void PickleMachine::append() { move_to_container(stack_.size() - 1, Kind::list); }

void PickleMachine::appends() {
  const std::size_t first = pop_mark();
  move_to_container(first, Kind::list);
}

void PickleMachine::set_item() {
  require(stack_.size() >= floor_ + 3, "stack must hold a dict, a key and a value: byte ",
          opcode_at_, " finds ", stack_.size() - floor_);
  move_to_container(stack_.size() - 2, Kind::dict);
}

void PickleMachine::set_items() {
  const std::size_t first = pop_mark();
  require((stack_.size() - first) % 2 == 0, "keys and values must be pairs: byte ", opcode_at_,
          " finds ", stack_.size() - first);
  move_to_container(first, Kind::dict);
}

void PickleMachine::memoize() { remember(memoized_); }

template <class Index>
void PickleMachine::get() {
  const std::uint64_t index = take<Index>();
  require(index < memo_.size() && memo_[index] > 0, "memo must hold what is asked for: byte ",
          opcode_at_, " asks for ", index);
  stack_.push_back({memo_[index] - 1});
}

void PickleMachine::global() {
  const std::string_view module = line();
  push_global(module, line());
}

void PickleMachine::stack_global() {
  const Value name = pop(), module = pop();
  require(pickle_.is(name, Kind::text) && pickle_.is(module, Kind::text),
          "global must be named by texts: byte ", opcode_at_, " finds other values");
  push_global(pickle_.text(module), pickle_.text(name));
}

void PickleMachine::reduce() {
  const Value arguments = pop(), callee = pop();
  require(pickle_.is(callee, Kind::global) && pickle_.is(arguments, Kind::tuple),
          "call must be of a global with a tuple: byte ", opcode_at_, " finds other values");
  switch (pickle_.global(callee).meaning) {
    case Meaning::ordered_dict:
      push_container(Kind::dict);
      if (const auto items = pickle_.items(arguments); !items.empty()) {
        add_pairs(items[0]);
      }
      return;
    case Meaning::default_dict:
      push_container(Kind::dict);
      return;
    default:
      push_items(Kind::call, std::array{callee, arguments});
  }
}

// Attributes: an OrderedDict's _metadata, a dtype's byte order, what a Namespace holds.
void PickleMachine::build() {
  pop();
  const Meaning called = pickle_.called(top());
  require(pickle_.is(top(), Kind::dict) ||
              (pickle_.is(top(), Kind::call) &&
               (called == Meaning::other || called == Meaning::rebuild_parameter)),
          "attributes must be of an OrderedDict or a parameter: byte ", opcode_at_,
          " gives them to another value");
}

void PickleMachine::persistent() {
  const Value id = pop();
  push_items(Kind::persistent, std::array{id});
}

void PickleMachine::need(std::uint64_t bytes) const {
  const std::uint64_t rest = pickle_.bytes_.size() - at_;
  require(bytes <= rest || pickle_.bytes_.size() < limits::kPickle, "pickle must have at most ",
          limits::kPickle, " bytes: byte ", opcode_at_, " needs ", bytes, " more");
  require(bytes <= rest, "pickle is truncated: byte ", opcode_at_, " needs ", bytes,
          " more, there are ", rest);
}

Pickle::Node& PickleMachine::push(Kind kind) {
  require(pickle_.nodes_.size() < limits::kPickleValues, "pickle must hold at most ",
          limits::kPickleValues, " values: byte ", opcode_at_, " is one more");
  stack_.push_back({static_cast<std::uint32_t>(pickle_.nodes_.size())});
  Pickle::Node& node = pickle_.nodes_.emplace_back();
  node.kind = kind;
  node.offset = static_cast<std::uint32_t>(opcode_at_);
  return node;
}

void PickleMachine::push_integer(std::int64_t number) { push(Kind::integer).integer = number; }

void PickleMachine::push_text(Kind kind, std::uint64_t size) {
  need(size);
  require(size <= limits::kPickleText, "texts must have at most ", limits::kPickleText,
          " bytes: the one at byte ", opcode_at_, " has ", size);
  push(kind).range = {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(size)};
  at_ += size;
}

Pickle::Range PickleMachine::keep(std::span<const Value> items) {
  std::vector<Value>& all = pickle_.items_;
  const Pickle::Range range{static_cast<std::uint32_t>(all.size()),
                            static_cast<std::uint32_t>(items.size())};
  all.insert(all.end(), items.begin(), items.end());
  return range;
}

void PickleMachine::push_items(Kind kind, std::span<const Value> items) {
  push(kind).range = keep(items);
}

void PickleMachine::push_container(Kind kind) {
  push(kind).range = {static_cast<std::uint32_t>(pickle_.containers_.size()), 0};
  pickle_.containers_.emplace_back();
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  const Global* global = find_global(module, name);
  if (global == nullptr) {
    const std::string full = shown(lamina::text(module, '.', name));
    require(
        !is_network(module),
        "holds a whole pickled module, with code to run, not a state dict: "
        "byte ",
        opcode_at_, " names ", full,
        "; load it where it was made and save its tensors: torch.save(model.state_dict(), path)");
    throw Error(lamina::text(prefix_, "globals must be those of state dicts: byte ", opcode_at_,
                             " names ", full,
                             ", which is never run; load the file where you trust it and save its "
                             "tensors: torch.save(model.state_dict(), path)"));
  }
  push(Kind::global).global = global;
}

std::string_view PickleMachine::line() {
  const std::string_view rest = text_of(pickle_.bytes_.subspan(at_));
  const std::size_t end = rest.substr(0, kLongestName).find('\n');
  require(end != std::string_view::npos, "global's name must end within ", kLongestName,
          " bytes: the one at byte ", opcode_at_, " does not");
  at_ += end + 1;
  return rest.substr(0, end);
}

Value PickleMachine::top() const {
  require(stack_.size() > floor_, "stack must hold a value: byte ", opcode_at_, " finds none");
  return stack_.back();
}

Value PickleMachine::pop() {
  const Value value = top();
  stack_.pop_back();
  return value;
}

std::size_t PickleMachine::pop_mark() {
  require(!marks_.empty(), "stack must hold a mark: byte ", opcode_at_, " finds none");
  const std::size_t first = floor_;
  floor_ = marks_.back();
  marks_.pop_back();
  return first;
}

void PickleMachine::move_to_container(std::size_t first, Kind kind) {
  require(!stack_.empty() && first > floor_ && pickle_.is(stack_[first - 1], kind),
          "items must be added to a ", kind == Kind::list ? "list" : "dict", ": byte ", opcode_at_,
          " finds another value");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(first);
  std::vector<Value>& container =
      pickle_.containers_[pickle_.nodes_[stack_[first - 1].index].range.begin];
  container.insert(container.end(), begin, stack_.end());
  stack_.erase(begin, stack_.end());
}

// Python 2's OrderedDict. The same list could be given again and again.
void PickleMachine::add_pairs(Value list) {
  const std::span<const Value> pairs = pickle_.items(list);
  pairs_ += pairs.size();
  require(pickle_.is(list, Kind::list) && pairs_ <= pickle_.bytes_.size(),
          "OrderedDict must be made of a list of its own: byte ", opcode_at_, " has none");
  std::vector<Value>& container =
      pickle_.containers_[pickle_.nodes_[stack_.back().index].range.begin];
  for (const Value pair : pairs) {
    const std::span<const Value> items = pickle_.items(pair);
    require((pickle_.is(pair, Kind::list) || pickle_.is(pair, Kind::tuple)) && items.size() == 2,
            "OrderedDict must be made of pairs: byte ", opcode_at_, " finds another value");
    container.insert(container.end(), items.begin(), items.end());
  }
}

// Picklers number what they remember: an index is below the bytes written.
void PickleMachine::remember(std::uint64_t index) {
  require(index < pickle_.bytes_.size(), "memo must be numbered in order: byte ", opcode_at_,
          " writes ", index);
  if (index >= memo_.size()) {
    memo_.resize(index + 1);
  }
  memoized_ += memo_[index] == 0 ? 1 : 0;
  memo_[index] = top().index + 1;
}

namespace {

using Machine = PickleMachine;

struct Entry {
  std::uint8_t opcode;
  Machine::Step step;
};

constexpr auto kSteps = std::to_array<Entry>({
    {kProtocol, &Machine::protocol},
    {0x95, &Machine::frame},
    {'.', &Machine::stop},
    {'(', &Machine::mark},
    {'N', &Machine::none},
    {0x88, &Machine::yes},
    {0x89, &Machine::no},
    {'J', &Machine::integer<std::int32_t>},
    {'K', &Machine::integer<std::uint8_t>},
    {'M', &Machine::integer<std::uint16_t>},
    {0x8a, &Machine::long_integer<std::uint8_t>},
    {0x8b, &Machine::long_integer<std::uint32_t>},
    {'G', &Machine::real},
    {'X', &Machine::text<std::uint32_t, Kind::text>},
    {0x8c, &Machine::text<std::uint8_t, Kind::text>},
    {0x8d, &Machine::text<std::uint64_t, Kind::text>},
    {'U', &Machine::text<std::uint8_t, Kind::text>},
    {'T', &Machine::text<std::uint32_t, Kind::text>},
    {'B', &Machine::text<std::uint32_t, Kind::bytes>},
    {'C', &Machine::text<std::uint8_t, Kind::bytes>},
    {0x8e, &Machine::text<std::uint64_t, Kind::bytes>},
    {')', &Machine::tuple<0>},
    {0x85, &Machine::tuple<1>},
    {0x86, &Machine::tuple<2>},
    {0x87, &Machine::tuple<3>},
    {'t', &Machine::tuple_to_mark},
    {']', &Machine::list},
    {0x8f, &Machine::list},  // a set
    {'a', &Machine::append},
    {'e', &Machine::appends},
    {0x90, &Machine::appends},
    {'}', &Machine::dict},
    {'s', &Machine::set_item},
    {'u', &Machine::set_items},
    {0x94, &Machine::memoize},
    {'q', &Machine::put<std::uint8_t>},
    {'r', &Machine::put<std::uint32_t>},
    {'h', &Machine::get<std::uint8_t>},
    {'j', &Machine::get<std::uint32_t>},
    {'c', &Machine::global},
    {0x93, &Machine::stack_global},
    {'R', &Machine::reduce},
    {0x81, &Machine::reduce},
    {'b', &Machine::build},
    {'Q', &Machine::persistent},
});

constexpr std::array<Machine::Step, 256> make_table() {
  std::array<Machine::Step, 256> table = {};
  for (const Entry& entry : kSteps) {
    table[entry.opcode] = entry.step;
  }
  return table;
}

constexpr auto kTable = make_table();

}  // namespace

void PickleMachine::run() {
  require(!pickle_.bytes_.empty() && pickle_.bytes_[0] == kProtocol,
          "pickle must begin with its protocol, ", kOldest, " to ", kNewest);
  while (is_running_) {
    opcode_at_ = at_;
    const auto opcode = take<std::uint8_t>();
    const Step step = kTable[opcode];
    require(step != nullptr, "opcodes must be those of state dicts: byte ", opcode_at_, " is 0x",
            std::hex, static_cast<int>(opcode), std::dec, ", ", opcode_name(opcode));
    (this->*step)();
  }
}

}  // namespace lamina::models::torch
