#include "apps/train/display.h"

#include <cmath>
#include <iomanip>
#include <sstream>
#include <unistd.h>

#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr double kSecondsBetweenDraws = 0.1;

std::string percent(double share, int digits) {
  return text(std::fixed, std::setprecision(digits), 100.0 * share, " %");
}

std::string images_per_second(double rate) {
  return text(std::fixed, std::setprecision(rate < 100.0 ? 1 : 0), rate, " images/s");
}

std::string rounded(double value, int digits) {
  return text(std::fixed, std::setprecision(digits), value);
}

}  // namespace

std::string progress_line(const EpochProgress& progress, const Canvas& canvas) {
  const double share = static_cast<double>(progress.batch) / static_cast<double>(progress.batches);
  std::string line = text("epoch ", progress.epoch + 1, '/', progress.epochs, " [",
                          bar(share, bar_columns(canvas), canvas.charset), "] ", progress.batch,
                          '/', progress.batches);
  if (progress.images_per_second > 0.0) {
    line +=
        text("  ", images_per_second(progress.images_per_second), "  loss ",
             rounded(progress.loss, 3), "  top-1 ", percent(progress.top1, 1), "  rate ",
             std::setprecision(3), progress.rate, "  ", duration(progress.seconds_left), " left");
  }
  return line;
}

std::string epoch_line(const LogEntry& entry, std::size_t epochs) {
  const auto epoch = static_cast<std::size_t>(std::lround(entry.epoch));
  const int width = static_cast<int>(std::to_string(epochs).size());
  std::string line = text("epoch ", std::setw(width), epoch, '/', epochs, "  loss ",
                          rounded(entry.loss, 4), "  top-1 ", percent(entry.top1, 2));
  if (entry.validation) {
    line +=
        text("  validation loss ", rounded(entry.validation->loss, 4), "  top-1 ",
             percent(entry.validation->top1, 2), "  top-5 ", percent(entry.validation->top5, 2));
  }
  return line + text("  rate ", std::setprecision(3), entry.rate, "  ",
                     images_per_second(entry.images_per_second), "  ", duration(entry.seconds),
                     '\n');
}

Display::Display(Console& console)
    : console_(console), canvas_{locale_charset(), terminal_columns(STDERR_FILENO)} {}

void Display::update(const EpochProgress& progress) {
  const double now = started_.seconds();
  if (console_.shows_status() && now >= next_draw_) {
    console_.set_status(progress_line(progress, canvas_));
    next_draw_ = now + kSecondsBetweenDraws;
  }
}

}  // namespace lamina::apps
