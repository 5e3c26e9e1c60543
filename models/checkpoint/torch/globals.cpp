#include "models/checkpoint/torch/globals.h"

#include <array>

namespace lamina::models::torch {
namespace {

// Python 2 and 3 call the same module differently.
constexpr auto kGlobals = std::to_array<Global>({
    {"collections", "OrderedDict", Meaning::ordered_dict},
    {"collections", "defaultdict", Meaning::default_dict},
    {"torch._utils", "_rebuild_tensor", Meaning::rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", Meaning::rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v3", Meaning::rebuild_tensor_v3},
    {"torch._utils", "_rebuild_qtensor", Meaning::rebuild_qtensor},
    {"torch._utils", "_rebuild_parameter", Meaning::rebuild_parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Meaning::rebuild_parameter},
    {"torch._tensor", "_rebuild_from_type_v2", Meaning::rebuild_from_type},
    {"torch.nn.parameter", "Parameter", Meaning::rebuild_parameter},
    {"torch", "Tensor", Meaning::other},
    {"torch", "Size", Meaning::size},
    {"torch", "per_tensor_affine", Meaning::per_tensor_affine},
    {"torch", "per_channel_affine", Meaning::per_channel_affine},
    {"torch", "device", Meaning::other},
    {"torch.serialization", "_get_layout", Meaning::other},
    {"argparse", "Namespace", Meaning::other},
    {"_codecs", "encode", Meaning::other},
    {"numpy", "dtype", Meaning::other},
    {"numpy.core.multiarray", "scalar", Meaning::other},
    {"numpy._core.multiarray", "scalar", Meaning::other},
    {"builtins", "set", Meaning::other},
    {"__builtin__", "set", Meaning::other},
    {"builtins", "dict", Meaning::other},
    {"__builtin__", "dict", Meaning::other},
    {"builtins", "list", Meaning::other},
    {"__builtin__", "list", Meaning::other},
    {"builtins", "complex", Meaning::other},
    {"__builtin__", "complex", Meaning::other},
});

struct Number {
  std::string_view storage, dtype, element;
  std::uint64_t bytes;
};

// Quantized numbers are stored as integers. Those without an element are known, but not read.
constexpr auto kNumbers = std::to_array<Number>({
    {"DoubleStorage", "float64", "F64", 8},
    {"FloatStorage", "float32", "F32", 4},
    {"HalfStorage", "float16", "F16", 2},
    {"BFloat16Storage", "bfloat16", "BF16", 2},
    {"LongStorage", "int64", "I64", 8},
    {"IntStorage", "int32", "I32", 4},
    {"ShortStorage", "int16", "I16", 2},
    {"CharStorage", "int8", "I8", 1},
    {"ByteStorage", "uint8", "U8", 1},
    {"BoolStorage", "bool", "BOOL", 1},
    {"", "uint16", "U16", 2},
    {"", "uint32", "U32", 4},
    {"", "uint64", "U64", 8},
    {"QInt8Storage", "qint8", "I8", 1},
    {"QUInt8Storage", "quint8", "U8", 1},
    {"QInt32Storage", "qint32", "I32", 4},
    {"QUInt4x2Storage", "quint4x2", "", 1},
    {"QUInt2x4Storage", "quint2x4", "", 1},
    {"ComplexFloatStorage", "complex64", "", 8},
    {"ComplexDoubleStorage", "complex128", "", 16},
    {"UntypedStorage", "", "", 0},
    {"", "complex32", "", 4},
    {"", "float8_e4m3fn", "", 1},
    {"", "float8_e5m2", "", 1},
});

std::array<Global, 2 * kNumbers.size()> make_numbers() {
  std::array<Global, 2 * kNumbers.size()> globals;
  std::size_t count = 0;
  for (const Number& number : kNumbers) {
    const ElementType* element = find_element_type(number.element);
    globals[count++] = {"torch", number.storage, Meaning::storage, element, number.bytes};
    globals[count++] = {"torch", number.dtype, Meaning::dtype, element, number.bytes};
  }
  return globals;
}

}  // namespace

const Global* find_global(std::string_view module, std::string_view name) {
  static const auto kTypes = make_numbers();
  if (name.empty()) {
    return nullptr;
  }
  for (const Global& global : kGlobals) {
    if (global.name == name && global.module == module) {
      return &global;
    }
  }
  const bool is_storage = module == "torch.storage" || module == "torch.cuda";
  for (const Global& global : kTypes) {
    if (global.name == name &&
        (module == "torch" || (is_storage && global.meaning == Meaning::storage))) {
      return &global;
    }
  }
  return nullptr;
}

}  // namespace lamina::models::torch
