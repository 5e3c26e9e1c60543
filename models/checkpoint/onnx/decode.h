#pragma once

#include <onnx.pb.h>

#include "models/checkpoint/onnx/constant.h"
#include "models/checkpoint/onnx/external_data.h"

namespace lamina::models::onnx {

/// The tensor's numbers from whichever field holds them: floating types as float32, the others as
/// integers. Throws Error unless there are as many as its shape has.
Constant decode(const proto::Tensor& tensor, ExternalData& external, Budget& budget);

}  // namespace lamina::models::onnx
