#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/train/evaluation.h"
#include "core/atomic_file.h"

namespace lamina::apps {

/// What a training says of itself after some steps, or after an epoch.
struct LogEntry {
  std::size_t step = 0;  ///< steps so far
  double epoch = 0.0;    ///< epochs so far
  double loss = 0.0;     ///< what was made small: mean since the entry of this kind before
  double top1 = 0.0;
  double rate = 0.0;
  double images_per_second = 0.0;
  double seconds = 0.0;  ///< of training so far
  struct Validation {
    double loss, top1, top5;
  };
  std::optional<Validation> validation = {};  ///< after epochs only
};

/// What a training begins with.
struct LogStart {
  std::string data;    ///< what identifies the pictures
  std::string recipe;  ///< JSON
  std::size_t pictures = 0, parameters = 0;
  std::size_t multiply_adds = 0;  ///< of one picture on its way forward
};

/// How a training ended: the weights as they are shipped.
struct LogEnd {
  std::size_t step = 0;
  double seconds = 0.0;  ///< of training, in all processes
  std::string validated_on;
  const std::vector<std::string>& classes;
  const Scores& scores;
};

/// The log of a training, JSON lines with a "kind": "start" with the fields of LogStart and the
/// machine, "step" and "epoch" with those of LogEntry, "resume" with the machine where a process
/// took over, "end" with those of LogEnd, confusion matrix and recall included.
class Log {
 public:
  /// Opens the file and drops what goes beyond `keep` bytes; 0: begins anew. Throws Error when it
  /// cannot.
  Log(const std::filesystem::path& path, std::uint64_t keep);

  void start(const LogStart& start);
  void resume(std::size_t step);
  void write(const LogEntry& entry);
  void end(const LogEnd& end);

  /// Bytes so far, all of them on the disk. Throws Error when they cannot be written.
  std::uint64_t sync();

 private:
  void write_line(const std::string& line);

  std::filesystem::path path_;
  FileHandle file_;
};

/// The entries of a log, those of epochs apart. Lines that are none are passed over.
struct LogEntries {
  std::vector<LogEntry> steps, epochs;
};
LogEntries read_log(const std::filesystem::path& path);

}  // namespace lamina::apps
