#pragma once

#include "models/checkpoint/names.h"

namespace lamina::test {

/// A checkpoint of ours as another library writes it: names by rules written again for the tests,
/// TensorFlow's tensors in its layout.
models::Checkpoint theirs(const models::Checkpoint& ours, models::Naming naming);

}  // namespace lamina::test
