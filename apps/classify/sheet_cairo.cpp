// A title, then rows of cells: a square with the thumbnail in its middle, and lines of text.
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <memory>

#include "apps/classify/sheet.h"
#include "apps/support/drawing.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr int kSide = kThumbnailSide, kGap = 20, kMargin = 28, kTop = 72, kLeastWidth = 480;
constexpr int kLine = 19, kTextTop = 10;
constexpr std::size_t kMostLines = 2;  // of a label
constexpr std::size_t kMostColumns = 16;
constexpr double kTextSize = 14.0, kTitleSize = 20.0;
constexpr Color kInk{0.15, 0.15, 0.18}, kFaint{0.45, 0.45, 0.49}, kPaper{0.96, 0.96, 0.97},
    kFrame{0.80, 0.80, 0.83}, kWrong{0.80, 0.07, 0.10}, kWhite{1.0, 1.0, 1.0};

// Wider than high, as screens are.
std::size_t columns_for(std::size_t pictures) {
  const auto columns =
      static_cast<std::size_t>(std::lround(std::sqrt(1.5 * static_cast<double>(pictures))));
  return std::clamp<std::size_t>(columns, std::min<std::size_t>(pictures, 4), kMostColumns);
}

// The text under a picture.
struct Caption {
  std::vector<std::string> label;
  std::string percent;
  std::vector<std::string> truth;

  std::size_t lines() const { return label.size() + 1 + truth.size(); }
};

std::vector<Caption> captions_of(const Sheet& sheet, const Drawing& drawing) {
  std::vector<Caption> captions;
  for (const SheetPicture& picture : sheet.pictures) {
    Caption caption;
    caption.label = drawing.wrapped(picture.label, kSide, kMostLines);
    caption.percent = text(std::fixed, std::setprecision(2), 100.0f * picture.probability, '%');
    if (!picture.truth.empty()) {
      caption.truth = drawing.wrapped("should be " + picture.truth, kSide, kMostLines);
    }
    captions.push_back(std::move(caption));
  }
  return captions;
}

struct Layout {
  std::size_t columns, rows;
  int row_height;

  int width() const {
    const int cells = static_cast<int>(columns) * (kSide + kGap) - kGap;
    return std::max(kLeastWidth, cells + 2 * kMargin);
  }
  int height() const { return kTop + static_cast<int>(rows) * row_height - kGap + kMargin; }
  int left(std::size_t i) const { return kMargin + static_cast<int>(i % columns) * (kSide + kGap); }
  int top(std::size_t i) const { return kTop + static_cast<int>(i / columns) * row_height; }
};

Layout layout_of(const std::vector<Caption>& captions) {
  const std::size_t columns = columns_for(captions.size());
  const std::size_t lines = std::ranges::max(captions, {}, &Caption::lines).lines();
  return {columns, (captions.size() + columns - 1) / columns,
          kSide + kTextTop + static_cast<int>(lines) * kLine + kGap};
}

// Pixel by pixel: the place is whole, nothing is filtered.
void place(const Drawing& to, const data::Image& image, int left, int top) {
  const auto width = static_cast<int>(image.width);
  const auto height = static_cast<int>(image.height);
  std::vector<std::uint32_t> pixels(image.width * image.height);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::uint8_t* rgb = image.pixels.data() + 3 * i;
    pixels[i] = std::uint32_t{rgb[0]} << 16 | std::uint32_t{rgb[1]} << 8 | rgb[2];
  }
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      cairo_image_surface_create_for_data(reinterpret_cast<unsigned char*>(pixels.data()),
                                          CAIRO_FORMAT_RGB24, width, height, 4 * width),
      cairo_surface_destroy);
  cairo_set_source_surface(to.context(), surface.get(), left, top);
  cairo_paint(to.context());
  to.set_color(kInk);  // lets go of the surface
}

void frame(const Drawing& to, double left, double top, double width) {
  cairo_set_line_width(to.context(), width);
  cairo_rectangle(to.context(), left - width / 2, top - width / 2, kSide + width, kSide + width);
  cairo_stroke(to.context());
}

// A cross in a disc, on the frame's corner.
void cross_out(const Drawing& to, double left, double top) {
  constexpr double kRadius = 11.0, kArm = 4.5;
  const double x = left + kSide, y = top;
  to.set_color(kWrong);
  cairo_arc(to.context(), x, y, kRadius, 0.0, 2.0 * M_PI);
  cairo_fill(to.context());
  to.set_color(kWhite);
  cairo_set_line_width(to.context(), 2.5);
  to.stroke(x - kArm, y - kArm, x + kArm, y + kArm);
  to.stroke(x - kArm, y + kArm, x + kArm, y - kArm);
}

void draw_picture(const Drawing& to, const SheetPicture& picture, int left, int top) {
  to.set_color(kPaper);
  cairo_rectangle(to.context(), left, top, kSide, kSide);
  cairo_fill(to.context());
  place(to, picture.thumbnail, left + (kSide - static_cast<int>(picture.thumbnail.width)) / 2,
        top + (kSide - static_cast<int>(picture.thumbnail.height)) / 2);
  if (picture.truth.empty()) {
    to.set_color(kFrame);
    frame(to, left, top, 1.0);
  } else {
    to.set_color(kWrong);
    frame(to, left, top, 4.0);
    cross_out(to, left, top);
  }
}

void draw_caption(const Drawing& to, const Caption& caption, int left, int top) {
  double y = top + kSide + kTextTop;
  const auto write = [&](const std::string& line, const Color& color) {
    to.set_color(color);
    to.write(line, left, y += kLine);
  };
  y -= 4.0;  // of a line's height, below its base line
  for (const std::string& line : caption.label) {
    write(line, kInk);
  }
  write(caption.percent, kFaint);
  for (const std::string& line : caption.truth) {
    write(line, kWrong);
  }
}

void draw_title(const Drawing& to, const Sheet& sheet, int width) {
  constexpr double kBase = 44.0, kApart = 40.0;
  const double room = width - 2 * kMargin;
  to.set_text_size(kTitleSize);
  to.set_color(kInk);
  const std::string title = to.cut(sheet.title, room);
  to.write(title, kMargin, kBase);
  const double left = room - to.width_of(title) - kApart;
  to.set_text_size(kTextSize);
  if (to.width_of(sheet.subtitle) <= left) {
    to.set_color(kFaint);
    to.write(sheet.subtitle, width - kMargin, kBase, 1.0);
  }
}

}  // namespace

bool can_draw_sheets() { return true; }

void draw(const Sheet& sheet, const std::filesystem::path& path) {
  const std::vector<Caption> captions = [&] {
    const Drawing ruler(1, 1);
    ruler.set_text_size(kTextSize);
    return captions_of(sheet, ruler);
  }();
  const Layout layout = layout_of(captions);
  const Drawing drawing(layout.width(), layout.height());
  draw_title(drawing, sheet, layout.width());
  for (std::size_t i = 0; i < captions.size(); ++i) {
    draw_picture(drawing, sheet.pictures[i], layout.left(i), layout.top(i));
    draw_caption(drawing, captions[i], layout.left(i), layout.top(i));
  }
  drawing.save("sheet", path);
}

}  // namespace lamina::apps
