// Two charts side by side, loss and accuracy by epochs.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iomanip>
#include <vector>

#include "apps/support/drawing.h"
#include "apps/train/report.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr int kWidth = 1280, kHeight = 520;
constexpr double kLeft = 70.0, kRight = 24.0, kTop = 48.0, kBottom = 60.0;
constexpr double kTextSize = 14.0, kTitleSize = 17.0;

constexpr Color kInk{0.15, 0.15, 0.18}, kGrid{0.87, 0.87, 0.89};
constexpr Color kTraining{0.12, 0.38, 0.72}, kFaint{0.70, 0.80, 0.92},
    kValidation{0.87, 0.42, 0.08};

struct Point {
  double x, y;
};

struct Line {
  std::string name;  // empty: not in the legend
  Color color;
  double width;
  bool has_marks;
  std::vector<Point> points;
};

struct Chart {
  std::string title;
  std::string unit;  // behind the numbers of the vertical axis
  std::vector<Line> lines;
};

struct Range {
  double lo, hi, step;
};

// Steps of 1, 2 or 5 times a power of ten, about `count` of them.
double nice_step(double extent, double count) {
  const double power = std::pow(10.0, std::floor(std::log10(extent / count)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power * count >= extent) {
      return factor * power;
    }
  }
  return 10.0 * power;
}

Range nice_range(double lo, double hi) {
  const double extent = hi > lo ? hi - lo : std::max(1e-3, std::abs(hi));
  const double step = nice_step(extent, 6.0);
  return {step * std::floor(lo / step), step * std::ceil((hi > lo ? hi : lo + extent) / step),
          step};
}

// All that the lines with marks say, and of the others, whose first steps would flatten the rest,
// the better 98 %.
Range range_of(const Chart& chart) {
  std::vector<double> marked;
  std::vector<double> others;
  for (const Line& line : chart.lines) {
    for (const Point& point : line.points) {
      (line.has_marks ? marked : others).push_back(point.y);
    }
  }
  std::ranges::sort(others);
  const bool small_is_good = chart.unit.empty();
  const auto cut = static_cast<std::ptrdiff_t>(0.02 * static_cast<double>(others.size()));
  marked.insert(marked.end(), others.begin() + (small_is_good ? 0 : cut),
                others.end() - (small_is_good ? cut : 0));
  if (marked.empty()) {
    return {0.0, 1.0, 0.2};
  }
  const auto [lo, hi] = std::ranges::minmax(marked);
  return nice_range(small_is_good ? 0.0 : lo, hi);
}

class Painter {
 public:
  Painter(const Drawing& to, double x, double width)
      : to_(to), left_(x + kLeft), right_(x + width - kRight) {}

  void draw(const Chart& chart, double epochs) {
    x_ = {0.0, epochs, std::max(1.0, nice_step(epochs, 8.0))};
    y_ = range_of(chart);
    to_.set_text_size(kTextSize);
    draw_grid(chart);
    for (const Line& line : chart.lines) {
      draw_line(line);
    }
    draw_labels(chart);
    draw_legend(chart);
  }

 private:
  double place_x(double x) const {
    return left_ + (x - x_.lo) / (x_.hi - x_.lo) * (right_ - left_);
  }
  double place_y(double y) const {
    return kHeight - kBottom - (y - y_.lo) / (y_.hi - y_.lo) * (kHeight - kBottom - kTop);
  }

  void write(const std::string& words, double x, double y, double anchor) {
    to_.set_color(kInk);
    to_.write(words, x, y, anchor);
  }

  void draw_grid(const Chart& chart) {
    const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(y_.step) + 1e-9)));
    cairo_set_line_width(to_.context(), 1.0);
    for (double y = y_.lo; y < y_.hi + y_.step / 2; y += y_.step) {
      to_.set_color(kGrid);
      to_.stroke(left_, place_y(y), right_, place_y(y));
      write(text(std::fixed, std::setprecision(digits), y == 0.0 ? 0.0 : y, chart.unit), left_ - 8,
            place_y(y) + 5, 1.0);
    }
    for (double x = 0.0; x <= x_.hi * (1 + 1e-9); x += x_.step) {
      to_.set_color(kGrid);
      to_.stroke(place_x(x), kTop, place_x(x), kHeight - kBottom);
      write(text(x), place_x(x), kHeight - kBottom + 20, 0.5);
    }
  }

  void draw_line(const Line& line) {
    cairo_save(to_.context());
    cairo_rectangle(to_.context(), left_, kTop, right_ - left_ + 4, kHeight - kBottom - kTop);
    cairo_clip(to_.context());
    to_.set_color(line.color);
    cairo_set_line_width(to_.context(), line.width);
    for (const Point& point : line.points) {
      cairo_line_to(to_.context(), place_x(point.x), place_y(point.y));
    }
    cairo_stroke(to_.context());
    if (line.has_marks && line.points.size() <= 60) {
      for (const Point& point : line.points) {
        cairo_arc(to_.context(), place_x(point.x), place_y(point.y), 3.0, 0.0, 2.0 * M_PI);
        cairo_fill(to_.context());
      }
    }
    cairo_restore(to_.context());
  }

  void draw_labels(const Chart& chart) {
    to_.set_color(kInk);
    to_.stroke(left_, kHeight - kBottom, right_, kHeight - kBottom);
    to_.stroke(left_, kTop, left_, kHeight - kBottom);
    write("epoch", (left_ + right_) / 2, kHeight - 16, 0.5);
    to_.set_text_size(kTitleSize);
    write(chart.title, left_, kTop - 18, 0.0);
    to_.set_text_size(kTextSize);
  }

  // Along the title's line, from the right.
  void draw_legend(const Chart& chart) {
    double x = right_;
    for (auto line = chart.lines.rbegin(); line != chart.lines.rend(); ++line) {
      if (line->name.empty()) {
        continue;
      }
      x -= to_.width_of(line->name);
      write(line->name, x, kTop - 18, 0.0);
      to_.set_color(line->color);
      cairo_set_line_width(to_.context(), 3.0);
      to_.stroke(x - 30, kTop - 23, x - 8, kTop - 23);
      x -= 46;
    }
  }

  const Drawing& to_;
  double left_, right_;
  Range x_{}, y_{};
};

using Figure = std::function<double(const LogEntry&)>;

std::vector<Point> points(const std::vector<LogEntry>& entries, const Figure& figure) {
  std::vector<Point> points;
  for (const LogEntry& entry : entries) {
    points.push_back({entry.epoch, figure(entry)});
  }
  return points;
}

Chart chart_of(const LogEntries& log, const std::string& title, const std::string& unit,
               const Figure& training, const Figure& validation) {
  return {title,
          unit,
          {{"", kFaint, 1.0, false, points(log.steps, training)},
           {"training", kTraining, 2.0, true, points(log.epochs, training)},
           {"validation", kValidation, 2.0, true, points(log.epochs, validation)}}};
}

void draw(const LogEntries& log, const std::filesystem::path& path) {
  const Drawing drawing(kWidth, kHeight);
  const double epochs = log.epochs.empty() ? 1.0 : log.epochs.back().epoch;
  Painter(drawing, 0.0, kWidth / 2.0)
      .draw(chart_of(
                log, "Loss (cross-entropy)", "", [](const LogEntry& e) { return e.loss; },
                [](const LogEntry& e) { return e.validation->loss; }),
            epochs);
  Painter(drawing, kWidth / 2.0, kWidth / 2.0)
      .draw(chart_of(
                log, "Top-1 accuracy", " %", [](const LogEntry& e) { return 100.0 * e.top1; },
                [](const LogEntry& e) { return 100.0 * e.validation->top1; }),
            epochs);
  drawing.save("curves", path);
}

}  // namespace

bool draw_curves(const LogEntries& log, const std::filesystem::path& path) {
  draw(log, path);
  return true;
}

}  // namespace lamina::apps
