#include "data/dataset.h"

#include <algorithm>
#include <numeric>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/keyed_rng.h"

namespace lamina::data {

Image Dataset::image(std::size_t i) const {
  Image image;
  read(i, image);
  return image;
}

std::string_view split_name(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::test:
      return "test";
    case Split::all:
      return "all";
  }
  return {};
}

DatasetHandle open_dataset(const std::filesystem::path& folder, const DatasetOptions& options) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(folder, error);
  check(!error || error == std::errc::no_such_file_or_directory, "open_dataset: ", folder.string(),
        ": cannot be read: ", error.message());
  check(is_folder, "open_dataset: ", folder.string(),
        ": must be a folder: ", error ? "there is none" : "it is something else");
  if (has_idx_files(folder)) {
    return open_idx(folder, options);
  }
  if (has_cifar_files(folder)) {
    return open_cifar(folder, options.split);
  }
  return open_image_folder(folder, options.split);
}

Subset::Subset(DatasetHandle dataset, std::vector<std::size_t> indices)
    : whole_(std::move(dataset)), indices_(std::move(indices)) {
  for (const std::size_t index : indices_) {
    check(index < whole_->size(), "Subset: indices must be below the number of pictures: ", index,
          " of ", whole_->size());
  }
}

HoldOut hold_out(const DatasetHandle& dataset, std::size_t count, std::uint64_t seed) {
  const std::size_t size = dataset->size();
  check(count > 0 && count < size,
        "hold_out: there must be pictures to hold out and some must be left: ", count, " of ",
        size);
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng rng = keyed_rng(seed, Purpose::holding_out, 0, 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(order[i], order[i + rng.below(size - i)]);
  }
  const auto cut = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  return {
      .rest = std::make_shared<Subset>(dataset, std::vector<std::size_t>(cut, order.end())),
      .held_out = std::make_shared<Subset>(dataset, std::vector<std::size_t>(order.begin(), cut))};
}

}  // namespace lamina::data
