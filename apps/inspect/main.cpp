// Says what a file of weights holds.
#include <iomanip>
#include <string>

#include "apps/inspect/options.h"
#include "apps/inspect/report.h"
#include "core/error.h"
#include "models/checkpoint/limits.h"

namespace lamina::apps {
namespace {

std::string list_limits() {
  std::string list;
  for (const models::limits::Limit& limit : models::limits::all()) {
    list += text(std::left, std::setw(20), limit.name, std::right, std::setw(12), limit.value, ' ',
                 std::left, std::setw(8), limit.unit, limit.what, '\n');
  }
  return list;
}

ExitCode main_program(int argc, char** argv, Console& console) {
  const auto options = read_options(argc, argv, console);
  if (!options) {
    return ExitCode::success;
  }
  if (options->limits) {
    console.print(list_limits());
    return ExitCode::success;
  }
  const Report report = inspect(options->file, options->variant);
  const Tensors tensors = options->tensors ? Tensors::listed : Tensors::counted;
  console.print(options->json ? as_json(report, tensors) : as_text(report, tensors));
  return ExitCode::success;
}

}  // namespace
}  // namespace lamina::apps

int main(int argc, char** argv) {
  using namespace lamina::apps;
  return run("inspect", [&](Console& console) { return main_program(argc, argv, console); });
}
