#include "apps/train/outputs.h"

#include <array>
#include <system_error>
#include <vector>

#include "core/atomic_file.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

namespace fs = std::filesystem;

std::array<fs::path, 5> outputs(const TrainOptions& options) {
  return {options.out, options.checkpoint(), options.curves(), options.card(), options.log};
}

// As AtomicFile names what it has not finished: PATH.123-4.tmp.
bool is_unfinished(const std::string& name, const std::string& of) {
  constexpr std::string_view kEnding = ".tmp";
  if (!name.starts_with(of + '.') || !name.ends_with(kEnding) ||
      name.size() < of.size() + 1 + kEnding.size()) {
    return false;
  }
  const std::size_t begin = of.size() + 1;
  const std::string middle = name.substr(begin, name.size() - kEnding.size() - begin);
  return middle.find_first_not_of("0123456789-") == middle.npos;
}

std::vector<fs::path> unfinished(const fs::path& path) {
  std::vector<fs::path> found;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (is_unfinished(entry->path().filename().string(), path.filename().string())) {
      found.push_back(entry->path());
    }
  }
  return found;
}

}  // namespace

void check_outputs(const TrainOptions& options) {
  std::error_code ignored;
  if (!options.recipe.init.empty() && fs::equivalent(options.out, options.recipe.init, ignored)) {
    throw UsageError(
        text("--out: ", options.out.string(), ": is the file of --init: it will not be replaced"));
  }
  if (options.start == Start::fresh && fs::exists(options.checkpoint(), ignored)) {
    throw UsageError(text(options.checkpoint().string(),
                          ": is an unfinished training: go on with --resume, or begin anew with "
                          "--restart"));
  }
  for (const fs::path& path : outputs(options)) {
    AtomicFile("train", path);
  }
}

void remove_leftovers(const TrainOptions& options) {
  std::error_code ignored;
  fs::remove(options.checkpoint(), ignored);
  for (const fs::path& path : outputs(options)) {
    for (const fs::path& left : unfinished(path)) {
      fs::remove(left, ignored);
    }
  }
}

}  // namespace lamina::apps
