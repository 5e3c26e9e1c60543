#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/support/timing.h"
#include "core/tensor.h"
#include "data/image.h"
#include "data/preprocessing.h"

namespace lamina::apps {

/// How command lines name standard input.
inline constexpr std::string_view kStandardInput = "-";

/// The pictures that a command line names: files and "-" as they are, directories walked.
/// `fail` receives the message about a directory that cannot be read or holds no pictures.
std::vector<std::string> find_pictures(const std::vector<std::string>& arguments,
                                       const std::function<void(const std::string&)>& fail);

/// A picture ready for the network, and the milliseconds it took to get there.
struct Prepared {
  Tensor input;         ///< [1, H, W, 3]
  std::string failure;  ///< why there is no input; empty when there is
  double decode_ms = 0.0;
  double preprocess_ms = 0.0;
};

/// Reads, decodes and preprocesses the picture of that name, or of standard input for "-".
Prepared prepare(const std::string& picture, const data::Preprocessing& preprocessing);

/// How many pictures to prepare at once beside a network on `threads` threads: enough to keep it
/// busy, few enough for memory, as each may have a hundred megapixels.
std::size_t pictures_ahead(std::size_t threads);

}  // namespace lamina::apps
