#include "models/checkpoint/onnx/decode.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "models/checkpoint/element_type.h"

namespace lamina::models::onnx {
namespace {

using Bytes = std::span<const std::uint8_t>;

// One little-endian integer of the type as 64 bits.
template <class Number>
std::int64_t integer_at(const std::uint8_t* element) {
  Number number;
  std::memcpy(&number, element, sizeof number);
  return static_cast<std::int64_t>(number);
}

struct NumberType {
  int type;
  std::size_t bytes;
  const char* floating;  // its name as an ElementType; else null
  std::int64_t (*integer)(const std::uint8_t* element);
};

constexpr NumberType kTypes[] = {
    {proto::Tensor::FLOAT, 4, "F32", nullptr},
    {proto::Tensor::FLOAT16, 2, "F16", nullptr},
    {proto::Tensor::BFLOAT16, 2, "BF16", nullptr},
    {proto::Tensor::DOUBLE, 8, "F64", nullptr},
    {proto::Tensor::UINT8, 1, nullptr, integer_at<std::uint8_t>},
    {proto::Tensor::INT8, 1, nullptr, integer_at<std::int8_t>},
    {proto::Tensor::UINT16, 2, nullptr, integer_at<std::uint16_t>},
    {proto::Tensor::INT16, 2, nullptr, integer_at<std::int16_t>},
    {proto::Tensor::INT32, 4, nullptr, integer_at<std::int32_t>},
    {proto::Tensor::INT64, 8, nullptr, integer_at<std::int64_t>},
    {proto::Tensor::UINT32, 4, nullptr, integer_at<std::uint32_t>},
    {proto::Tensor::UINT64, 8, nullptr, integer_at<std::uint64_t>},
    {proto::Tensor::BOOL, 1, nullptr, integer_at<std::uint8_t>},
};

const NumberType& number_type(int type) {
  const auto* found = std::ranges::find(kTypes, type, &NumberType::type);
  check(found != std::end(kTypes), "its type must be one of numbers: it is ", type_name(type));
  return *found;
}

class Decoder {
 public:
  Decoder(const proto::Tensor& tensor, ExternalData& external)
      : tensor_(tensor), external_(external), type_(number_type(tensor.data_type())) {
    result_.type = tensor.data_type();
    result_.dims.assign(tensor.dims().begin(), tensor.dims().end());
    count_ = result_.size();
  }

  Constant decode(Budget& budget) {
    if (tensor_.data_location() == proto::Tensor::EXTERNAL) {
      const std::vector<std::uint8_t> bytes = external_.read(tensor_, count_ * type_.bytes);
      allocate(budget);
      from_bytes(bytes);
    } else if (tensor_.has_raw_data()) {
      const std::string& raw = tensor_.raw_data();
      require_count(raw.size() / type_.bytes, raw.size() % type_.bytes);
      allocate(budget);
      from_bytes({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()});
    } else {
      from_field(budget);
    }
    return std::move(result_);
  }

 private:
  void require_count(std::size_t values, std::size_t rest = 0) const {
    check(values == count_ && rest == 0,
          "must have as many values as its shape: ", printed(result_.dims), " has ", count_,
          ", the data ", values, rest == 0 ? "" : " and a part of one");
  }

  void allocate(Budget& budget) {
    if (type_.floating != nullptr) {
      budget.charge(count_);
      result_.floats = Tensor::uninitialized({count_});
    } else {
      budget.charge(2 * count_);
      result_.floats = {};
      result_.integers.resize(count_);
    }
  }

  void from_bytes(Bytes bytes) {
    if (type_.type == proto::Tensor::FLOAT) {
      std::ranges::copy(bytes, reinterpret_cast<std::uint8_t*>(result_.floats.data()));
      return;
    }
    const ElementType* element = type_.floating ? find_element_type(type_.floating) : nullptr;
    float* floats = result_.floats.data();
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint8_t* at = bytes.data() + i * type_.bytes;
      if (element != nullptr) {
        floats[i] = element->to_float(at);
      } else {
        result_.integers[i] = type_.integer(at);
      }
    }
  }

  template <class Values>
  void copy(const Values& values, Budget& budget) {
    require_count(static_cast<std::size_t>(values.size()));
    allocate(budget);
    if (type_.floating != nullptr) {
      std::ranges::transform(values, result_.floats.data(),
                             [](auto value) { return static_cast<float>(value); });
    } else {
      std::ranges::transform(values, result_.integers.begin(),
                             [](auto value) { return static_cast<std::int64_t>(value); });
    }
  }

  // Halves stand in int32_data as their bits.
  void from_bits(Budget& budget) {
    require_count(static_cast<std::size_t>(tensor_.int32_data_size()));
    allocate(budget);
    const ElementType* element = find_element_type(type_.floating);
    float* to = result_.floats.data();
    for (const std::int32_t bits : tensor_.int32_data()) {
      const auto number = static_cast<std::uint32_t>(bits);
      const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(number & 0xff),
                                                 static_cast<std::uint8_t>(number >> 8 & 0xff)};
      *to++ = element->to_float(bytes.data());
    }
  }

  void from_field(Budget& budget) {
    switch (type_.type) {
      case proto::Tensor::FLOAT:
        return copy(tensor_.float_data(), budget);
      case proto::Tensor::DOUBLE:
        return copy(tensor_.double_data(), budget);
      case proto::Tensor::FLOAT16:
      case proto::Tensor::BFLOAT16:
        return from_bits(budget);
      case proto::Tensor::INT64:
        return copy(tensor_.int64_data(), budget);
      case proto::Tensor::UINT32:
      case proto::Tensor::UINT64:
        return copy(tensor_.uint64_data(), budget);
      default:
        return copy(tensor_.int32_data(), budget);
    }
  }

  const proto::Tensor& tensor_;
  ExternalData& external_;
  const NumberType& type_;
  Constant result_;
  std::size_t count_ = 0;
};

}  // namespace

Constant decode(const proto::Tensor& tensor, ExternalData& external, Budget& budget) {
  static_assert(std::endian::native == std::endian::little);
  return Decoder(tensor, external).decode(budget);
}

}  // namespace lamina::models::onnx
