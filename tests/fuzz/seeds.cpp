#include "tests/fuzz/seeds.h"

#include <array>

#include "core/error.h"
#include "models/checkpoint/onnx.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/torch/writer.h"
#include "nn/isa.h"
#include "nn/layers.h"
#include "nn/plan.h"
#include "tests/data/idx_files.h"
#include "tests/models/onnx/cases.h"
#include "tests/models/tflite/tflite_file.h"
#include "tests/models/torch/samples.h"
#include "tests/nn/every_operation.h"
#include "tests/support/folder.h"
#include "tests/support/samples.h"
#include "tests/support/tensors.h"

namespace lamina::fuzz {
namespace {

namespace fs = std::filesystem;

std::string as_string(const test::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

test::PngSample png_sample(int color, int depth) {
  test::PngSample sample{.height = 5, .width = 7, .depth = depth, .color = color};
  const std::size_t levels = std::size_t{1} << depth;
  for (std::size_t i = 0; i < 5 * 7 * sample.channels(); ++i) {
    sample.samples.push_back(static_cast<std::uint16_t>(i * 37 % levels));
  }
  if (color == 3) {
    sample.palette.resize(levels * 3, 100);
    sample.transparency = {0, 128};
  }
  return sample;
}

void write_png_seeds(const fs::path& folder) {
  constexpr std::array<std::array<int, 2>, 8> kKinds = {
      {{0, 1}, {0, 16}, {2, 8}, {3, 2}, {3, 8}, {4, 8}, {6, 8}, {6, 16}}};
  for (const auto& [color, depth] : kKinds) {
    test::PngSample sample = png_sample(color, depth);
    const std::string name = text("color", color, "depth", depth);
    test::write_file(folder / (name + ".png"), as_string(test::encode(sample)));
    sample.interlaced = true;
    test::write_file(folder / (name + "interlaced.png"), as_string(test::encode(sample)));
  }
}

test::JpegSample jpeg_sample(int components) {
  test::JpegSample sample{.height = 19, .width = 17, .components = components};
  for (std::size_t i = 0; i < std::size_t{19} * 17 * static_cast<std::size_t>(components); ++i) {
    sample.samples.push_back(static_cast<std::uint8_t>(i * i / 7));
  }
  return sample;
}

void write_jpeg_seeds(const fs::path& folder) {
  for (const int components : {1, 3, 4}) {
    test::JpegSample sample = jpeg_sample(components);
    const std::string name = text("components", components);
    test::write_file(folder / (name + ".jpg"), as_string(test::encode(sample)));
    sample.progressive = true;
    test::write_file(folder / (name + "progressive.jpg"), as_string(test::encode(sample)));
    sample.arithmetic = true;
    test::write_file(folder / (name + "arithmetic.jpg"), as_string(test::encode(sample)));
  }
  test::JpegSample turned = jpeg_sample(3);
  turned.app1 = test::exif_segment(6, 'I');
  test::write_file(folder / "turned.jpg", as_string(test::encode(turned)));
}

void write_exif_seeds(const fs::path& folder) {
  test::write_file(folder / "little", as_string(test::exif_segment(8, 'I')));
  test::write_file(folder / "big", as_string(test::exif_segment(3, 'M')));
}

void write_idx_seeds(const fs::path& folder) {
  const std::string images = test::idx_bytes({2, 2, 3}, "abcdefghijkl");
  const std::string labels = test::idx_bytes({4}, "abcd");
  test::write_file(folder / "images", images);
  test::write_file(folder / "images.gz", test::gzip(images));
  test::write_file(folder / "labels", labels);
  test::write_file(folder / "labels.gz", test::gzip(labels));
  test::write_file(folder / "bomb.gz",
                   test::gzip(test::idx_bytes({300, 20, 20}, std::string(120000, '\0'))));
}

void write_cifar_seeds(const fs::path& folder) {
  const std::string picture = '\7' + std::string(3072, '\x55');
  test::write_file(folder / "named",
                   "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n" + std::string(1, '\0') + picture);
  test::write_file(folder / "windows", "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj" +
                                           std::string(1, '\0') + picture + picture);
}

void write_safetensors_seeds(const fs::path& folder) {
  models::Checkpoint checkpoint;
  checkpoint.metadata = {{"format", "pt"}, {"labels", "cat\ndog"}};
  checkpoint.tensors.emplace("weight", test::random_tensor({2, 1, 1, 3}, 1));
  checkpoint.tensors.emplace("bias", test::random_tensor({2}, 2));
  checkpoint.tensors.emplace("none", Tensor::zeros({0, 4}));
  models::write_safetensors(folder / "ours.safetensors", checkpoint);
  for (const char* type : {"F64", "F16", "BF16", "I64", "I32", "U8", "BOOL"}) {
    const std::size_t bytes = models::find_element_type(type)->bytes;
    const std::string header =
        text(R"({"a":{"dtype":")", type, R"(","shape":[3],"data_offsets":[0,)", 3 * bytes, "]}}");
    std::string file(1, static_cast<char>(header.size()));
    file.resize(8);
    test::write_file(folder / type, file + header + std::string(3 * bytes, '\x3c'));
  }
}

// A state dict with a view, a quantized tensor, a parameter, texts, and training state around it.
std::string torch_object() {
  using namespace test::pickled;
  const std::string floats = storage("FloatStorage", "0", 6);
  const std::string quantized =
      call(global("torch._utils", "_rebuild_qtensor"),
           {storage("QInt8Storage", "1", 4), integer(0), tuple({integer(4)}), tuple({integer(1)}),
            tuple({global("torch", "per_tensor_affine"), real(0.5), integer(1)}), "\x89", kNone});
  const std::string parameter = call(global("torch._utils", "_rebuild_parameter"),
                                     {tensor(floats, 0, {2, 3}, {1, 2}), "\x88", kNone});
  const std::string state = call(global("collections", "OrderedDict"), {}) + '(' +
                            string("module.a") + tensor(floats, 1, {2, 2}, {2, 1}) +
                            string("module.q") + quantized + string("module.p") + parameter +
                            string("module.t") + tuple({tensor(floats, 0, {6}, {1})}) + 'u';
  return test::pickle_of(
      dict({string("state_dict"), state, string("epoch"), integer(300), string("meta"),
            dict({string("CLASSES"), list({string("a"), string("b")})}), string("optimizer"),
            list({dict({integer(0), real(0.1)})})}));
}

void write_zip_seeds(const fs::path& folder) {
  models::Checkpoint checkpoint;
  checkpoint.metadata = {{"arch", "x"}};
  checkpoint.tensors.emplace("a.running_mean", test::random_tensor({2}, 1));
  checkpoint.tensors.emplace("a.weight", test::random_tensor({2, 1, 1, 3}, 2));
  models::write_torch(folder / "ours.pth", checkpoint);
  test::write_file(folder / "wide.pth",
                   test::torch_zip(torch_object(), {{"0", std::string(24, 'a')}, {"1", "abcd"}}));
  test::write_file(
      folder / "deflated.pth",
      test::zip_of({{.name = "a/data.pkl", .content = torch_object(), .deflated = true},
                    {.name = "a/data/0",
                     .content = std::string(24, '\0'),
                     .deflated = true,
                     .with_descriptor = true,
                     .with_signature = false},
                    {.name = "a/data/1", .content = "abcd", .wide = true}},
                   {.comment = "comment"}));
}

void write_pickle_seeds(const fs::path& folder) {
  using namespace test::pickled;
  test::write_file(folder / "protocol2", torch_object());
  test::write_file(folder / "protocol4",
                   "\x80\x04\x95" + std::string(8, '\0') + "}\x94(\x8c\1a\x94" +
                       tensor(storage("FloatStorage", "0", 1), 0, {}, {}) +
                       "\x94\x8c\1b\x94\x8c\13collections\x8c\13OrderedDict\x93\x94)R\x94" +
                       "\x8c\1c\x94h\5u.");
}

void write_torch_legacy_seeds(const fs::path& folder) {
  test::write_file(
      folder / "state.pth",
      test::torch_legacy(torch_object(), {{"0", 6, std::string(24, 'a')}, {"1", 4, "abcd"}}));
}

void write_onnx_seeds(const fs::path& folder) {
  for (const test::OnnxCase& one : test::all_cases()) {
    test::write_file(folder / one.name, as_string(one.model.bytes()));
  }
  test::EveryOperation net(nn::PaddingMode::symmetric);
  test::randomize(net);
  models::write_onnx(folder / "every_operation", nn::trace(net, {1, 9, 8, 3}),
                     {.metadata = {{"labels", "a\nb"}}});
}

void write_plan_seeds(const fs::path& folder) {
  const test::ScopedIsa reference("reference");
  test::EveryOperation net(nn::PaddingMode::symmetric);
  test::randomize(net);
  const nn::Graph graph = nn::trace(net, {1, 9, 8, 3});
  nn::compile(graph, {.fusion = nn::Fusion::always, .metadata = {{"labels", "a\nb"}}})
      .save(folder / "fused.plan");
  nn::compile(graph, {.fusion = nn::Fusion::never}).save(folder / "plain.plan");
  nn::Sequential small;
  small.emplace<nn::Linear>(2, 3);
  nn::compile(nn::trace(small, {1, 2})).save(folder / "small.plan");
}

void write_tflite_seeds(const fs::path& folder) {
  test::write_file(folder / "float.tflite", as_string(test::float_network().bytes()));
  test::write_file(folder / "integer.tflite", as_string(test::integer_network().bytes()));
}

}  // namespace

void write_seeds(const fs::path& folder) {
  const std::pair<const char*, void (*)(const fs::path&)> kinds[] = {
      {"cifar", write_cifar_seeds},
      {"exif", write_exif_seeds},
      {"idx", write_idx_seeds},
      {"jpeg", write_jpeg_seeds},
      {"pickle", write_pickle_seeds},
      {"onnx", write_onnx_seeds},
      {"plan", write_plan_seeds},
      {"png", write_png_seeds},
      {"safetensors", write_safetensors_seeds},
      {"tflite", write_tflite_seeds},
      {"torch_legacy", write_torch_legacy_seeds},
      {"zip", write_zip_seeds},
  };
  for (const auto& [name, write] : kinds) {
    fs::create_directories(folder / name);
    write(folder / name);
  }
}

}  // namespace lamina::fuzz
