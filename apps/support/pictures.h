#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/support/timing.h"
#include "core/tensor.h"
#include "data/dataset.h"
#include "data/image.h"
#include "data/preprocessing.h"

namespace lamina::apps {

/// How command lines name standard input.
inline constexpr std::string_view kStandardInput = "-";

/// A picture to classify.
struct Picture {
  std::string file;              ///< or "-", or what the command line calls its data set
  data::DatasetHandle set = {};  ///< null: none
  std::size_t number = 0;        ///< in the set
  std::size_t truth = 0;         ///< the network's class that it belongs to, where there is a set
};

/// Which pictures of those that a command line names.
struct PictureOptions {
  const std::vector<std::string>& labels;  ///< the network's: its data sets' classes are among them
  std::size_t limit = std::numeric_limits<std::size_t>::max();  ///< of each folder or data set
  std::optional<std::uint64_t> shuffle = {};  ///< seed of their order; empty: their own
};

/// The pictures that a command line names: files and "-" as they are, directories walked, of data
/// sets the test split. `fail` receives the message about a directory that cannot be read or holds
/// no pictures, and a data set that cannot be opened or has a class that is not the network's.
std::vector<Picture> find_pictures(const std::vector<std::string>& arguments,
                                   const PictureOptions& options,
                                   const std::function<void(const std::string&)>& fail);

/// A picture ready for the network, and the milliseconds it took to get there.
struct Prepared {
  Tensor input;           ///< [1, H, W, 3]
  data::Image thumbnail;  ///< empty unless asked for
  std::string failure;    ///< why there is no input; empty when there is
  double decode_ms = 0.0;
  double preprocess_ms = 0.0;
};

/// Reads, decodes and preprocesses a picture, and makes a thumbnail of that side unless it is 0.
Prepared prepare(const Picture& picture, const data::Preprocessing& preprocessing,
                 std::size_t thumbnail_side);

/// How many pictures to prepare at once beside a network on `threads` threads: enough to keep it
/// busy, few enough for memory, as each may have a hundred megapixels.
std::size_t pictures_ahead(std::size_t threads);

}  // namespace lamina::apps
