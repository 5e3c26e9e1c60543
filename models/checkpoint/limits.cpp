#include "models/checkpoint/limits.h"

#include "core/shape.h"
#include "data/file_limits.h"
#include "nn/file_limits.h"

namespace lamina::models::limits {
namespace {

constexpr Limit kAll[] = {
    {"file", kFile, "bytes", "a checkpoint file"},
    {"rank", Shape::kMaxRank, "axes", "a tensor that is loaded"},
    {"growth", kGrowth, "times", "float32 values against the file's bytes that they lie in"},
    {"growth-free", kGrowthFree, "bytes", "what comes on top of growth"},
    {"safetensors-header", kSafetensorsHeader, "bytes", "a safetensors header"},
    {"safetensors-depth", kSafetensorsDepth, "levels", "the nesting of a safetensors header"},
    {"tflite-file", kTfliteFile, "bytes", "a TensorFlow Lite file"},
    {"tflite-tables", kTfliteTables, "tables", "a TensorFlow Lite file, shared ones counted again"},
    {"tflite-depth", kTfliteDepth, "levels", "the nesting of a TensorFlow Lite file's tables"},
    {"tflite-rank", kTfliteRank, "axes", "a TensorFlow Lite file's tensor"},
    {"tflite-values", kTfliteValues, "values", "a TensorFlow Lite file's tensor"},
    {"onnx-objects", kOnnxObjects, "objects", "messages and names of an ONNX file"},
    {"onnx-growth", kOnnxGrowth, "times", "an ONNX file's parsed form against its bytes"},
    {"onnx-free", kOnnxFree, "bytes", "what comes on top of growth for an ONNX file's constants"},
    {"onnx-rank", kOnnxRank, "axes", "a tensor in an ONNX file"},
    {"graph-values", kGraphValues, "values", "a tensor of one image in a network from a file"},
    {"safetensors-string", kSafetensorsString, "bytes", "a string in a safetensors header"},
    {"tensors", kTensors, "tensors", "a safetensors file or index"},
    {"tensor-name", kTensorName, "bytes", "a name in a safetensors header"},
    {"stored-rank", kStoredRank, "axes", "a tensor in a safetensors file"},
    {"metadata", kMetadata, "entries", "the metadata of a safetensors file"},
    {"shards", kShards, "files", "a checkpoint in several files"},
    {"zip-entries", kZipEntries, "entries", "a zip archive"},
    {"zip-name", kZipName, "bytes", "the name of a zip entry"},
    {"zip-ratio", kZipRatio, "times", "a deflated zip entry against its bytes in the file"},
    {"zip-growth", kZipGrowth, "times", "all deflated zip entries against the file"},
    {"zip-free", kZipFree, "bytes", "what may be inflated without either"},
    {"pickle", kPickle, "bytes", "a pickle"},
    {"pickle-values", kPickleValues, "values", "a pickle's content"},
    {"pickle-depth", kPickleDepth, "marks", "the nesting of a pickle's opcodes"},
    {"pickle-text", kPickleText, "bytes", "one text in a pickle"},
    {"torch-rank", kTorchRank, "axes", "a tensor in a PyTorch file"},
    {"torch-nesting", kTorchNesting, "levels", "the dicts around a state dict"},
    {"torch-text", kTorchText, "bytes", "a text that becomes metadata"},
    {"plan-file", nn::limits::kPlanFile, "bytes", "a plan file"},
    {"plan-floats", nn::limits::kPlanFloats, "floats", "a plan's arena, scratch and image, each"},
    {"picture-file", data::limits::kPictureFile, "bytes", "a picture's file"},
    {"pixels", data::limits::kPixels, "pixels", "a picture"},
    {"png-chunk", data::limits::kPngChunk, "bytes", "a PNG's chunk that is no image data"},
    {"jpeg-scans", data::limits::kJpegScans, "scans", "a progressive JPEG"},
    {"jpeg-arithmetic", data::limits::kArithmeticGain, "blocks", "a bit of an arithmetic JPEG"},
    {"idx-values", data::limits::kIdxValues, "values", "an IDX file"},
    {"cifar-file", data::limits::kCifarFile, "bytes", "a file of CIFAR-10"},
    {"cifar-names", data::limits::kCifarNames, "bytes", "CIFAR-10's file of class names"},
};

}  // namespace

std::span<const Limit> all() { return kAll; }

}  // namespace lamina::models::limits
