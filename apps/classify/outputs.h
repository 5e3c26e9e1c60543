#pragma once

#include <string>
#include <vector>

#include "apps/classify/options.h"
#include "apps/support/pictures.h"

/// The files that classify writes.
namespace lamina::apps {

/// True for a regular file that is not empty.
bool has_bytes(const std::string& path);

/// Throws UsageError when the plan or the sheet is to be saved over the weights, a picture, each
/// other, or any other file that is neither of its kind nor empty; and Error when the sheet cannot
/// be written.
void check_outputs(const ClassifyOptions& options);

/// Throws UsageError when the sheet is to be saved over one of the pictures.
void check_sheet(const ClassifyOptions& options, const std::vector<Picture>& pictures);

}  // namespace lamina::apps
