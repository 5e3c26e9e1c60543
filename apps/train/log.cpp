#include "apps/train/log.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unistd.h>

#include "apps/support/cpu_name.h"
#include "apps/train/confusion.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/isa.h"

namespace lamina::apps {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const std::filesystem::path& path) {
  const int reason = errno;
  throw Error(text("log: ", path.string(),
                   ": cannot be written: ", std::generic_category().message(reason)));
}

Json as_json(const LogEntry& entry) {
  Json json = {{"kind", entry.validation ? "epoch" : "step"},
               {"step", entry.step},
               {"epoch", entry.epoch},
               {"loss", entry.loss},
               {"top1", entry.top1},
               {"rate", entry.rate},
               {"images_per_second", entry.images_per_second},
               {"seconds", entry.seconds}};
  if (entry.validation) {
    json["validation_loss"] = entry.validation->loss;
    json["validation_top1"] = entry.validation->top1;
    json["validation_top5"] = entry.validation->top5;
  }
  return json;
}

Json machine() { return {{"cpu", cpu_name()}, {"isa", nn::isa()}, {"threads", thread_count()}}; }

Json recalls_of(const Scores& scores) {
  Json list = Json::array();
  for (const std::optional<double>& share : recalls(scores.confusion)) {
    list.push_back(share ? Json(*share) : Json());
  }
  return list;
}

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

LogEntry parse_entry(const Json& json) {
  const auto number = [&json](const char* key) { return json.at(key).get<double>(); };
  LogEntry entry{.step = json.at("step").get<std::size_t>(),
                 .epoch = number("epoch"),
                 .loss = number("loss"),
                 .top1 = number("top1"),
                 .rate = number("rate"),
                 .images_per_second = number("images_per_second"),
                 .seconds = number("seconds")};
  if (json.contains("validation_loss")) {
    entry.validation = {number("validation_loss"), number("validation_top1"),
                        number("validation_top5")};
  }
  return entry;
}

}  // namespace

Log::Log(const std::filesystem::path& path, std::uint64_t keep)
    : path_(path), file_(std::fopen(path.c_str(), "ab")) {
  if (file_ == nullptr) {
    fail(path);
  }
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  if (!failure && size > keep &&
      ::ftruncate(::fileno(file_.get()), static_cast<off_t>(keep)) != 0) {
    fail(path);
  }
}

void Log::start(const LogStart& start) {
  write_line(one_line({{"kind", "start"},
                       {"data", start.data},
                       {"pictures", start.pictures},
                       {"parameters", start.parameters},
                       {"multiply_adds", start.multiply_adds},
                       {"recipe", Json::parse(start.recipe)},
                       {"version", LAMINA_VERSION},
                       {"machine", machine()}}));
}

void Log::resume(std::size_t step) {
  write_line(one_line({{"kind", "resume"}, {"step", step}, {"machine", machine()}}));
}

void Log::end(const LogEnd& end) {
  write_line(one_line({{"kind", "end"},
                       {"step", end.step},
                       {"seconds", end.seconds},
                       {"validated_on", end.validated_on},
                       {"validation_pictures", end.scores.pictures},
                       {"validation_loss", end.scores.loss},
                       {"validation_top1", end.scores.top1},
                       {"validation_top5", end.scores.top5},
                       {"classes", end.classes},
                       {"confusion", end.scores.confusion},
                       {"recall", recalls_of(end.scores)}}));
}

void Log::write(const LogEntry& entry) { write_line(as_json(entry).dump()); }

void Log::write_line(const std::string& line) {
  const std::string whole = line + '\n';
  if (std::fwrite(whole.data(), 1, whole.size(), file_.get()) != whole.size() ||
      std::fflush(file_.get()) != 0) {
    fail(path_);
  }
}

std::uint64_t Log::sync() {
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) {
    fail(path_);
  }
  return std::filesystem::file_size(path_);
}

LogEntries read_log(const std::filesystem::path& path) {
  LogEntries entries;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, false);
    const std::string kind = json.is_object() ? json.value("kind", "") : "";
    if (kind == "step" || kind == "epoch") {
      const LogEntry entry = parse_entry(json);
      (entry.validation ? entries.epochs : entries.steps).push_back(entry);
    }
  }
  return entries;
}

}  // namespace lamina::apps
