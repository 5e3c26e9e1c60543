#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace lamina::data {

/// True when `folder` holds one of CIFAR-10's binary files.
bool has_cifar_files(const std::filesystem::path& folder);

/// Reads CIFAR-10's binary form (Krizhevsky, 2009): data_batch_1.bin to data_batch_5.bin to train
/// with, test_batch.bin to test. Each picture is a byte for its class, then 1024 for each of red,
/// green and blue. The names of the classes are the ten lines of batches.meta.txt, or "class 0",
/// ... where there is none. Throws Error when files are missing or malformed.
DatasetHandle open_cifar(const std::filesystem::path& folder, Split split);

}  // namespace lamina::data
