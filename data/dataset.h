#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/image.h"

namespace lamina::data {

/// Labeled pictures, numbered from 0. Everything may be asked for on several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::size_t size() const = 0;

  /// A name for every label: labels are below class_names().size().
  virtual const std::vector<std::string>& class_names() const = 0;

  /// The class of picture i < size().
  virtual std::uint32_t label(std::size_t i) const = 0;

  /// Picture i < size() as 8-bit RGB, gray ones with three equal channels, into `image`, whose
  /// memory is used again. Throws Error naming the file when it cannot be read.
  virtual void read(std::size_t i, Image& image) const = 0;

  /// What stands for picture i < size() in messages: its file, or its place in one.
  virtual std::string name(std::size_t i) const = 0;

  /// Picture i, in memory of its own.
  Image image(std::size_t i) const;

  std::size_t classes() const { return class_names().size(); }
};

using DatasetHandle = std::shared_ptr<const Dataset>;

/// Which pictures of a set: those to train with, those to measure with, or both.
enum class Split { train, test, all };

/// "train", "test" or "all".
std::string_view split_name(Split split);

struct DatasetOptions {
  Split split = Split::train;

  /// Replaces the names of IDX files' classes, which have none of their own.
  std::vector<std::string> class_names = {};
};

/// Opens the set of pictures that a folder holds, in the first of these forms that it has:
///
/// - IDX files, MNIST's form: train-images-idx3-ubyte, train-labels-idx1-ubyte and the same with
///   t10k-, plain or with .gz (data/idx.h);
/// - CIFAR-10's binary form: data_batch_1.bin to data_batch_5.bin, test_batch.bin (data/cifar.h);
/// - a folder of PNG and JPEG files for each class, below train/ and val/ (or test/) where there
///   are such (data/image_folder.h).
///
/// The first two are read into memory as bytes, the pictures of the last whenever asked for. Throws
/// Error when the folder has none of them, lacks the split, or a file is malformed.
DatasetHandle open_dataset(const std::filesystem::path& folder, const DatasetOptions& options = {});

/// Some of the pictures of another set, by their numbers there.
class Subset : public Dataset {
 public:
  /// Throws Error when an index is not below dataset->size().
  Subset(DatasetHandle dataset, std::vector<std::size_t> indices);

  std::size_t size() const override { return indices_.size(); }
  const std::vector<std::string>& class_names() const override { return whole_->class_names(); }
  std::uint32_t label(std::size_t i) const override { return whole_->label(indices_[i]); }
  void read(std::size_t i, Image& image) const override { whole_->read(indices_[i], image); }
  std::string name(std::size_t i) const override { return whole_->name(indices_[i]); }

  const std::vector<std::size_t>& indices() const { return indices_; }

 private:
  DatasetHandle whole_;
  std::vector<std::size_t> indices_;
};

/// A set cut in two, each part in the order of the whole.
struct HoldOut {
  std::shared_ptr<const Subset> rest, held_out;
};

/// Sets `count` pictures aside, every choice of them equally likely and decided by `seed` alone:
/// for choosing settings without looking at the test set. Throws Error unless 0 < count < size.
HoldOut hold_out(const DatasetHandle& dataset, std::size_t count, std::uint64_t seed);

}  // namespace lamina::data
