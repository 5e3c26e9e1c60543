#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/tflite/importer.h"

namespace lamina::models::tflite {
namespace {

// Height and width of [N, H, W, C]; negative axes count from the end.
bool are_pixels(std::vector<std::int64_t> axes, std::int64_t rank) {
  for (std::int64_t& axis : axes) {
    axis += axis < 0 ? rank : 0;
  }
  std::ranges::sort(axes);
  return rank == 4 && axes == std::vector<std::int64_t>{1, 2};
}

}  // namespace

void Importer::add(const Operator& op) {
  switch (op.kind) {
    case OperatorKind::add:
      return add_sum(op);
    case OperatorKind::average_pool_2d:
      return add_average_pool(op);
    case OperatorKind::conv_2d:
      return add_convolution(op);
    case OperatorKind::depthwise_conv_2d:
      return add_depthwise(op);
    case OperatorKind::fully_connected:
      return add_fully_connected(op);
    case OperatorKind::relu:
      return add_clamp(op, ActivationCode::relu);
    case OperatorKind::relu_n1_to_1:
      return add_clamp(op, ActivationCode::relu_n1_to_1);
    case OperatorKind::relu6:
      return add_clamp(op, ActivationCode::relu6);
    case OperatorKind::reshape:
    case OperatorKind::squeeze:
      return add_reshape(op);
    case OperatorKind::softmax:
      return add_softmax(op);
    case OperatorKind::pad:
      return add_pad(op);
    case OperatorKind::mean:
      return add_mean(op);
    case OperatorKind::dequantize:
    case OperatorKind::quantize:
      return add_quantize(op);
    case OperatorKind::custom:
      break;
  }
  throw Error("is not supported: only " + supported_operators() + " are");
}

void Importer::add_sum(const Operator& op) {
  const auto* options = op.table->options_as_AddOptions();
  const Value& a = unpadded(op, 0);
  const Value& b = unpadded(op, 1);
  check(shape(a) == shape(b), "inputs must have one shape: they have ", shape(a), " and ",
        shape(b));
  make_bounded(op, nn::AddNode{}, {a.node, b.node}, shape(a),
               options == nullptr ? ActivationCode::none : options->activation());
}

void Importer::pool(const Operator& op, const Value& x) {
  const Shape in = shape(x);
  if (in.rank() == 2) {
    add_reshape(op);
    return;
  }
  make(op, nn::PoolNode{}, {x.node}, {in[0], in[3]});
}

void Importer::add_average_pool(const Operator& op) {
  const auto* options = op.table->options_as_PoolOptions();
  const Value& x = unpadded(op, 0);
  const Extents in = input(op, 0).shape;
  check(options != nullptr && in.size() == 4,
        "must have its options and an input [N, H, W, C]: it "
        "has not");
  check(options->filter_h() >= 0 && static_cast<std::uint64_t>(options->filter_h()) == in[1] &&
            options->filter_w() >= 0 && static_cast<std::uint64_t>(options->filter_w()) == in[2],
        "must average all pixels: the window is ", options->filter_h(), " x ", options->filter_w(),
        ", the input ", printed(in));
  check(options->activation() == ActivationCode::none, "must have no activation: it has number ",
        static_cast<int>(options->activation()));
  pool(op, x);
}

void Importer::add_mean(const Operator& op) {
  const Value& x = unpadded(op, 0);
  const Extents in = input(op, 0).shape;
  const std::vector<std::int64_t> axes = integers(input(op, 1));
  check(are_pixels(axes, static_cast<std::int64_t>(in.size())),
        "must average height and width of [N, H, W, C]: it averages ", axes.size(),
        " axes, the input is ", printed(in));
  pool(op, x);
}

void Importer::add_pad(const Operator& op) {
  Value x = value(op, 0);
  const Extents in = input(op, 0).shape;
  const std::vector<std::int64_t> pads = integers(input(op, 1));
  check(in.size() == 4 && shape(x).rank() == 4 && pads.size() == 8,
        "must pad [N, H, W, C]: the input is ", printed(in), ", the pads are ", pads.size());
  const auto [least, most] = std::ranges::minmax(pads);
  check(pads[0] == 0 && pads[1] == 0 && pads[6] == 0 && pads[7] == 0 && least >= 0 &&
            most < std::int64_t{1} << 20,
        "must add 0 to 2^20 pixels to height and width: the pads are from ", least, " to ", most);
  const auto added = [&](std::size_t i) { return static_cast<std::size_t>(pads[i]); };
  x.padding.top += added(2);
  x.padding.bottom += added(3);
  x.padding.left += added(4);
  x.padding.right += added(5);
  const Shape image = shape(x);
  const Extents padded = {image[0], image[1] + x.padding.top + x.padding.bottom,
                          image[2] + x.padding.left + x.padding.right, image[3]};
  const Extents declared = output(op).shape;
  check(declared == padded, "output must be ", printed(padded), ": the file declares ",
        printed(declared));
  set(op, x);
}

void Importer::add_softmax(const Operator& op) {
  const auto* options = op.table->options_as_SoftmaxOptions();
  const float beta = options == nullptr ? 0.0f : options->beta();
  check(beta == 1.0f, "beta must be 1: it is ", beta);
  const Value& x = unpadded(op, 0);
  make(op, nn::SoftmaxNode{}, {x.node}, shape(x));
}

void Importer::add_reshape(const Operator& op) {
  const Value& x = unpadded(op, 0);
  const Extents declared = output(op).shape;
  check(declared.size() <= Shape::kMaxRank && !declared.empty(), "output must have 1 to ",
        Shape::kMaxRank, " axes: the file declares ", printed(declared));
  const std::vector<std::size_t> extents(declared.begin(), declared.end());
  check(same_up_to_ones(declared, shape(x)), "may add or remove axes of one element only: from ",
        shape(x), " it goes to ", printed(declared));
  set(op, x);
}

void Importer::add_quantize(const Operator& op) {
  const TensorView x = constant(op, 0);
  if (x.is_constant()) {
    dequantized_[output(op).index] = x.index;
    return;
  }
  add_reshape(op);
}

void Importer::add_clamp(const Operator& op, ActivationCode activation) {
  const Value& x = unpadded(op, 0);
  make(op, nn::ClampNode{}, {x.node}, shape(x));
  std::get<nn::ClampNode>(file_.graph.nodes.back().operation).bounds =
      bounds(activation, output(op));
}

}  // namespace lamina::models::tflite
