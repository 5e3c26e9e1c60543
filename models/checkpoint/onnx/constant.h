#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace lamina::models::onnx {

using Dims = std::vector<std::int64_t>;

/// The number of elements. Throws Error when an extent is negative, there are more than
/// limits::kOnnxRank or their product is beyond 2^40.
std::size_t count_of(const Dims& dims);
/// For messages: the first ones of many, or of a name in quotes.
std::string printed(const Dims& dims);
std::string shortened(std::string_view name);

/// Inside of [-size, size) -> [0, size); `what` stands in the message.
std::size_t checked_axis(std::int64_t axis, std::size_t size, std::string_view what);

/// Numbers that are known before the network runs, row-major. Copies share the floats.
struct Constant {
  int type = 1;  ///< the format's number of the type of element
  Dims dims = {};
  Tensor floats = Tensor::zeros({1});       ///< [count] where the type is floating, as float32
  std::vector<std::int64_t> integers = {};  ///< else

  bool is_floating() const;
  std::size_t size() const { return count_of(dims); }
  float number(std::size_t i) const {
    return is_floating() ? floats.data()[i] : static_cast<float>(integers[i]);
  }

  /// The same numbers under other extents of the same product.
  Constant reshaped(Dims new_dims) const;

  static Constant of_integers(Dims dims, std::vector<std::int64_t> values);
};

bool is_floating_type(int type);
/// "FLOAT16", or "type 77" where it has no name.
std::string type_name(int type);

/// The most that may be made of a file: constants and weights together.
class Budget {
 public:
  /// `bytes` of files more justify limits::kGrowth times as much.
  void justify(std::uint64_t bytes);
  /// Throws Error when that many values more would be too much.
  void charge(std::uint64_t values);

 private:
  std::uint64_t spent_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace lamina::models::onnx
