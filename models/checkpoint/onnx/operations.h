#pragma once

#include <string>
#include <string_view>

#include "models/checkpoint/onnx/operation.h"

/// What each operation of the format becomes. The functions add nodes and set the result, or throw
/// Error saying what of the operation is not supported.
namespace lamina::models::onnx {

using Import = void (*)(Operation& op);

/// Null for an operation that is not supported.
Import find_import(std::string_view op_type);
/// All of them, for messages.
std::string supported_operations();

void import_conv(Operation& op);
void import_pad(Operation& op);
void import_average_pool(Operation& op);
void import_global_average_pool(Operation& op);
void import_reduce_mean(Operation& op);

void import_gemm(Operation& op);
void import_mat_mul(Operation& op);

void import_batch_normalization(Operation& op);
void import_clip(Operation& op);
void import_relu(Operation& op);
void import_softmax(Operation& op);
void import_identity(Operation& op);
void import_dropout(Operation& op);

void import_add(Operation& op);
void import_sub(Operation& op);
void import_mul(Operation& op);
void import_div(Operation& op);
void import_min(Operation& op);
void import_max(Operation& op);

void import_reshape(Operation& op);
void import_flatten(Operation& op);
void import_squeeze(Operation& op);
void import_unsqueeze(Operation& op);
void import_transpose(Operation& op);
void import_cast(Operation& op);
void import_shape(Operation& op);

void import_constant(Operation& op);
void import_constant_of_shape(Operation& op);
void import_concat(Operation& op);
void import_slice(Operation& op);
void import_gather(Operation& op);

void import_quantize_linear(Operation& op);
void import_dequantize_linear(Operation& op);

}  // namespace lamina::models::onnx
