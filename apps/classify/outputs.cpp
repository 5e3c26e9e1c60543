#include "apps/classify/outputs.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "apps/classify/sheet.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "nn/plan.h"

namespace lamina::apps {
namespace {

namespace fs = std::filesystem;

struct Output {
  const char* option;
  const std::string& file;
};

[[noreturn]] void refuse(const Output& output, const char* what) {
  throw UsageError(
      text(output.option, ": ", output.file, ": is ", what, ": it will not be replaced"));
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

void check_inputs(const Output& output, const ClassifyOptions& options) {
  if (same_file(output.file, options.weights)) {
    refuse(output, "the weights");
  }
  if (same_file(output.file, options.plan)) {
    refuse(output, "the plan");
  }
  if (std::ranges::any_of(options.images, [&](const std::string& image) {
        return same_file(output.file, image);
      })) {
    refuse(output, "one of the pictures");
  }
}

bool begins_as_png(const std::string& path) {
  constexpr std::array<char, 8> kSignature = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'};
  std::array<char, kSignature.size()> bytes{};
  std::ifstream file(path, std::ios::binary);
  return file.read(bytes.data(), bytes.size()) && bytes == kSignature;
}

void check_plan(const ClassifyOptions& options) {
  const Output plan{"--save-plan", options.save_plan};
  check_inputs(plan, options);
  if (has_bytes(plan.file) && !nn::begins_as_plan(plan.file)) {
    refuse(plan, "not a plan");
  }
}

void check_sheet(const ClassifyOptions& options) {
  const Output sheet{"--sheet", options.sheet};
  if (!can_draw_sheets()) {
    throw UsageError("--sheet: needs cairo: classify was built without it");
  }
  if (!sheet.file.ends_with(".png")) {
    throw UsageError(text("--sheet: ", sheet.file, ": must end in .png: a PNG is written"));
  }
  check_inputs(sheet, options);
  if (sheet.file == options.save_plan || same_file(sheet.file, options.save_plan)) {
    refuse(sheet, "the plan");
  }
  if (has_bytes(sheet.file) && !begins_as_png(sheet.file)) {
    refuse(sheet, "not a PNG");
  }
  AtomicFile("sheet", sheet.file);
}

}  // namespace

bool has_bytes(const std::string& path) {
  std::error_code failure;
  const std::uintmax_t size = fs::is_regular_file(path, failure) ? fs::file_size(path, failure) : 0;
  return !failure && size > 0;
}

void check_outputs(const ClassifyOptions& options) {
  if (!options.save_plan.empty()) {
    check_plan(options);
  }
  if (!options.sheet.empty()) {
    check_sheet(options);
  }
}

void check_sheet(const ClassifyOptions& options, const std::vector<Picture>& pictures) {
  if (options.sheet.empty() || !has_bytes(options.sheet)) {
    return;
  }
  for (const Picture& picture : pictures) {
    if (!picture.set && same_file(options.sheet, picture.file)) {
      refuse({"--sheet", options.sheet}, "one of the pictures");
    }
  }
}

}  // namespace lamina::apps
