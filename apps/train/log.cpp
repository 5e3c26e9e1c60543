#include "apps/train/log.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

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

void Log::start(const std::string& data, const std::string& recipe_json) {
  const Json json = {{"kind", "start"}, {"data", data}, {"recipe", Json::parse(recipe_json)}};
  write_line(json.dump(-1, ' ', false, Json::error_handler_t::replace));
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
    if (json.is_object() && json.contains("step")) {
      const LogEntry entry = parse_entry(json);
      (entry.validation ? entries.epochs : entries.steps).push_back(entry);
    }
  }
  return entries;
}

}  // namespace lamina::apps
