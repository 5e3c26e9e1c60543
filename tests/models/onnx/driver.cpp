#include <fstream>
#include <iostream>

#include "core/error.h"
#include "models/checkpoint/onnx.h"
#include "nn/plan.h"
#include "tests/models/onnx/cases.h"
#include "tests/models/support.h"
#include "tests/nn/every_operation.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

// Usage: onnx_driver FOLDER. Writes models, NAME.onnx, with an input and what we make of it in the
// file's layout, NAME.in and NAME.out, float32; and prints a line for each: the name, how far
// results may differ, the input's shape in the file.
namespace lamina {
namespace {

enum class Layout { channels_first, channels_last };

Tensor in_layout(const Tensor& x, Layout layout) {
  return x.shape().rank() == 4 && layout == Layout::channels_first ? test::to_oihw(x) : x;
}

void write_floats(const std::filesystem::path& path, const Tensor& x) {
  test::write_file(path, {reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float)});
}

struct Run {
  std::filesystem::path folder;
  std::string name;
  Layout layout = Layout::channels_first;
  double tolerance;
};

// `graph` is what the file of that name holds.
void write_run(const Run& run, const nn::Graph& graph, const Tensor& x) {
  const Tensor in = in_layout(x, run.layout);
  write_floats(run.folder / (run.name + ".in"), in);
  write_floats(run.folder / (run.name + ".out"), in_layout(nn::compile(graph)(x), run.layout));
  std::cout << run.name << ' ' << run.tolerance;
  for (const std::size_t extent : in.shape()) {
    std::cout << ' ' << extent;
  }
  std::cout << '\n';
}

void write_cases(const std::filesystem::path& folder) {
  for (const test::OnnxCase& one : test::all_cases()) {
    const std::vector<std::uint8_t> bytes = one.model.bytes();
    test::write_file(folder / (one.name + ".onnx"), {bytes.begin(), bytes.end()});
    const bool last = one.name.starts_with("channels_last");
    write_run({.folder = folder,
               .name = one.name,
               .layout = last ? Layout::channels_last : Layout::channels_first,
               .tolerance = one.tolerance + one.rounding},
              models::parse_onnx(bytes, one.name).graph, test::random_tensor(one.input, 7));
  }
}

void write_exports(const std::filesystem::path& folder) {
  models::MobileNetV2 net({.classes = 10, .width = 0.35f, .padding = nn::PaddingMode::same});
  test::randomize(net, 3);
  test::EveryOperation every(nn::PaddingMode::symmetric);
  test::randomize(every);
  const auto write = [&](const std::string& name, int opset, const nn::Graph& graph, Shape input) {
    const std::string full = text("export_", name, "_", opset);
    models::write_onnx(folder / (full + ".onnx"), graph,
                       {.opset = opset, .metadata = {{"labels", "cat\ndog"}}});
    write_run({.folder = folder, .name = full, .tolerance = 2e-4}, graph,
              test::random_tensor(input, 1));
  };
  for (const int opset : {13, 17}) {
    write("every", opset, nn::trace(every, {1, 9, 8, 3}), {2, 9, 8, 3});
    write("kept", opset, nn::trace(net, {1, 64, 64, 3}), {3, 64, 64, 3});
  }
  nn::fold_batch_norm(net);
  for (const int opset : {13, 17}) {
    write("folded", opset, nn::trace(net, {1, 64, 64, 3}), {3, 64, 64, 3});
  }
}

}  // namespace
}  // namespace lamina

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: onnx_driver FOLDER\n";
    return 2;
  }
  lamina::write_cases(arguments[1]);
  lamina::write_exports(arguments[1]);
  return 0;
}
