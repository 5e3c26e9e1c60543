#include "models/checkpoint/onnx/operations.h"

#include <algorithm>
#include <iterator>

namespace lamina::models::onnx {
namespace {

struct Named {
  std::string_view op_type;
  Import import;
};

constexpr Named kOperations[] = {
    {"Add", import_add},
    {"AveragePool", import_average_pool},
    {"BatchNormalization", import_batch_normalization},
    {"Cast", import_cast},
    {"Clip", import_clip},
    {"Concat", import_concat},
    {"Constant", import_constant},
    {"ConstantOfShape", import_constant_of_shape},
    {"Conv", import_conv},
    {"DequantizeLinear", import_dequantize_linear},
    {"Div", import_div},
    {"Dropout", import_dropout},
    {"Flatten", import_flatten},
    {"Gather", import_gather},
    {"Gemm", import_gemm},
    {"GlobalAveragePool", import_global_average_pool},
    {"Identity", import_identity},
    {"MatMul", import_mat_mul},
    {"Max", import_max},
    {"Min", import_min},
    {"Mul", import_mul},
    {"Pad", import_pad},
    {"QuantizeLinear", import_quantize_linear},
    {"ReduceMean", import_reduce_mean},
    {"Relu", import_relu},
    {"Reshape", import_reshape},
    {"Shape", import_shape},
    {"Slice", import_slice},
    {"Softmax", import_softmax},
    {"Squeeze", import_squeeze},
    {"Sub", import_sub},
    {"Transpose", import_transpose},
    {"Unsqueeze", import_unsqueeze},
};

}  // namespace

Import find_import(std::string_view op_type) {
  const auto* found = std::ranges::find(kOperations, op_type, &Named::op_type);
  return found == std::end(kOperations) ? nullptr : found->import;
}

std::string supported_operations() {
  std::string list;
  for (const Named& operation : kOperations) {
    list += list.empty() ? "" : ", ";
    list += operation.op_type;
  }
  return list;
}

}  // namespace lamina::models::onnx
