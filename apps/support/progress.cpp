#include "apps/support/progress.h"

#include <iomanip>
#include <sstream>
#include <unistd.h>

namespace lamina::apps {
namespace {

constexpr double kSecondsBetweenDraws = 0.1;

}  // namespace

std::string progress_line(const ProgressState& state, const Canvas& canvas) {
  const auto done = static_cast<double>(state.done);
  const auto total = static_cast<double>(state.total);
  std::ostringstream line;
  line << '[' << bar(done / total, bar_columns(canvas), canvas.charset) << "] " << state.done << '/'
       << state.total;
  if (state.done > 0 && state.seconds > 0.0) {
    const double rate = done / state.seconds;
    line << "  " << std::fixed << std::setprecision(1) << rate << " images/s  "
         << duration((total - done) / rate) << " left";
  }
  return line.str();
}

Progress::Progress(Console& console, std::size_t total)
    : console_(console), total_(total), canvas_{locale_charset(), terminal_columns(STDERR_FILENO)} {
  update(0);
}

void Progress::update(std::size_t done) {
  const double now = started_.seconds();
  if (total_ >= 2 && console_.shows_status() && now >= next_draw_) {
    console_.set_status(progress_line({done, total_, now}, canvas_));
    next_draw_ = now + kSecondsBetweenDraws;
  }
}

}  // namespace lamina::apps
