#include <set>
#include <utility>

#include "core/error.h"
#include "data/file.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/onnx.h"
#include "models/checkpoint/onnx/operations.h"
#include "models/checkpoint/onnx/wire_scan.h"

namespace lamina::models {
namespace {

using namespace onnx;  // NOLINT(google-build-using-namespace): this file is its face

constexpr std::int64_t kFirstOpset = 7;
constexpr std::int64_t kLastOpset = 20;

bool is_standard(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, std::string_view name, const OnnxOptions& options)
      : options_(options), prefix_(text("onnx: ", name, ": ")), builder_(budget_) {
    check_wire(bytes, prefix_);
    const bool parsed =
        model_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && model_.has_graph();
    require(parsed, "must be an ONNX model: there is no graph in it");
    budget_.justify(bytes.size());
  }

  GraphFile read() {
    find_opset();
    const std::string output = output_name();
    mark_needed(output);
    define_initializers();
    define_input();
    for (std::size_t i = 0; i < needed_.size(); ++i) {
      if (needed_[i]) {
        import_node(graph().node(static_cast<int>(i)));
      }
    }
    GraphFile file{.container = text("ONNX (opset ", opset_, ")"),
                   .graph = builder_.finish(final_view(output)),
                   .metadata = {},
                   .remarks = builder_.take_remarks()};
    for (const proto::Entry& entry : model_.metadata_props()) {
      require(file.metadata.emplace(entry.key(), entry.value()).second,
              "metadata must have a key once: there are two of ", shortened(entry.key()));
    }
    return file;
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  const proto::Graph& graph() const { return model_.graph(); }

  void find_opset() {
    for (const proto::OperatorSet& set : model_.opset_import()) {
      if (is_standard(set.domain())) {
        opset_ = set.version();
      }
    }
    require(model_.ir_version() >= 3, "must be of IR version 3 or later: it is of ",
            model_.ir_version());
    require(opset_ >= kFirstOpset && opset_ <= kLastOpset, "must be of opset ", kFirstOpset, " to ",
            kLastOpset, ": it is of ", opset_);
  }

  std::string output_name() const {
    if (!options_.output.empty()) {
      return options_.output;
    }
    const int count = graph().output_size();
    require(count > 0, "must have an output: it has none");
    require(count == 1, "must have one output, or OnnxOptions::output name one: it has ", count,
            ", among them ", shortened(graph().output(0).name()), " and ",
            shortened(graph().output(count - 1).name()));
    return graph().output(0).name();
  }

  // From the output backwards: what it does not need is not looked at.
  void mark_needed(const std::string& output) {
    const auto count = static_cast<std::size_t>(graph().node_size());
    std::set<std::string, std::less<>> wanted = {output};
    needed_.assign(count, false);
    values_.count_use(output);
    for (std::size_t i = count; i-- > 0;) {
      const proto::Node& node = graph().node(static_cast<int>(i));
      for (const std::string& result : node.output()) {
        needed_[i] = needed_[i] || (!result.empty() && wanted.contains(result));
      }
      for (const std::string& input : node.input()) {
        if (needed_[i] && !input.empty()) {
          wanted.insert(input);
          values_.count_use(input);
        }
      }
    }
  }

  void define_initializers() {
    for (proto::Tensor& tensor : *model_.mutable_graph()->mutable_initializer()) {
      define(tensor.name(), &tensor);
    }
  }

  void define(const std::string& name, Value value) {
    try {
      values_.define(name, std::move(value));
    } catch (const Error& error) {
      throw Error(prefix_ + error.what());
    }
  }

  // Files of the first versions list the initializers among the inputs.
  void define_input() {
    const proto::ValueInfo* found = nullptr;
    for (const proto::ValueInfo& input : graph().input()) {
      if (!values_.is_defined(input.name())) {
        require(found == nullptr, "must have one input: it has ",
                shortened(found == nullptr ? "" : found->name()), " and ", shortened(input.name()));
        found = &input;
      }
    }
    require(found != nullptr, "must have an input: it has none");
    const proto::TensorType& type = found->type().tensor_type();
    builder_.set_name("input");
    define(found->name(), input_view(input_dims(type.shape())));
    if (type.elem_type() != proto::Tensor::FLOAT) {
      builder_.remark(text("The input is of type ", type_name(type.elem_type()),
                           " in the file: it is float32 here."));
    }
  }

  // Extents that the file leaves open are 0.
  Dims input_dims(const proto::TensorShape& shape) const {
    Dims dims;
    for (const proto::Dimension& dim : shape.dim()) {
      dims.push_back(dim.dim_value());
    }
    require(dims.size() == 4 && dims[0] <= 1,
            "input must be images, one or any number of them: ", "it is ", printed(dims));
    return dims;
  }

  static bool is_channel_count(std::int64_t extent) {
    return extent == 1 || extent == 3 || extent == 4;
  }

  View input_view(const Dims& dims) {
    const bool channels_are_last = is_channel_count(dims[3]) && !is_channel_count(dims[1]);
    const std::size_t height = channels_are_last ? 1 : 2;
    const std::size_t h = extent(dims[height], options_.height, "height");
    const std::size_t w = extent(dims[height + 1], options_.width, "width");
    const std::int64_t channels = dims[channels_are_last ? 3 : 1];
    require(channels > 0 && channels <= kMostExtent, "input must have channels: it is ",
            printed(dims));
    std::vector<Axes> axes = channels_first();
    if (channels_are_last) {
      axes = {{Axis::n}, {Axis::h}, {Axis::w}, {Axis::c}};
    }
    const auto values = static_cast<std::uint64_t>(channels) * h * w;
    require(values <= limits::kGraphValues, "input must have at most ", limits::kGraphValues,
            " values: it is ", printed(dims));
    return builder_.input({1, h, w, static_cast<std::size_t>(channels)}, std::move(axes));
  }

  std::size_t extent(std::int64_t in_file, std::size_t wanted, const char* what) const {
    const std::int64_t number = in_file > 0 ? in_file : static_cast<std::int64_t>(wanted);
    require(number > 0, "input's ", what, " is left open: OnnxOptions must say it");
    require(wanted == 0 || static_cast<std::size_t>(number) == wanted, "input's ", what,
            " must be what is asked for: it is ", number, " in the file, asked for is ", wanted);
    require(number <= kMostExtent, "input's ", what, " must be at most ", kMostExtent, ": it is ",
            number);
    return static_cast<std::size_t>(number);
  }

  void import_node(const proto::Node& node) {
    try {
      check(is_standard(node.domain()), "must be an operation of ONNX itself: it is of ",
            shortened(node.domain()));
      const Import import = find_import(node.op_type());
      check(import != nullptr, "is not supported; these are: ", supported_operations());
      Operation operation(node, opset_, values_, builder_);
      import(operation);
    } catch (const Error& error) {
      throw Error(prefix_ + described(node) + error.what());
    }
    for (const std::string& input : node.input()) {
      values_.release(input);
    }
  }

  // The result as a plan gives it: [1, C] where there is one pixel.
  View final_view(const std::string& output) {
    try {
      const auto* found = std::get_if<View>(&values_.get(output));
      check(found != nullptr, "it is a constant");
      View view = builder_.without_padding(*found);
      const Shape& shape = builder_.shape(view);
      if (shape.rank() == 2 || shape[1] * shape[2] == 1) {
        return builder_.as_vector(view);
      }
      check(view.axes.size() == 4, "it is an image of ", shape, " (NHWC) made into ",
            printed(builder_.dims(view)));
      return view;
    } catch (const Error& error) {
      throw Error(text(prefix_, "output ", shortened(output), ": ", error.what()));
    }
  }

  static constexpr std::int64_t kMostExtent = 1 << 20;

  const OnnxOptions& options_;
  std::string prefix_;
  proto::Model model_;
  std::int64_t opset_ = 0;
  Budget budget_;
  Builder builder_;
  ExternalData external_{options_.external_folder, budget_};
  Values values_{external_, budget_};
  std::vector<bool> needed_;
};

}  // namespace

GraphFile parse_onnx(std::span<const std::uint8_t> bytes, std::string_view name,
                     const OnnxOptions& options) {
  return Reader(bytes, name, options).read();
}

GraphFile read_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  return parse_onnx(data::read_file("onnx", path, limits::kFile), path.string(), options);
}

}  // namespace lamina::models
