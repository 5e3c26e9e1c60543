#include "apps/support/drawing.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fontconfig/fontconfig.h>
#include <sstream>

#include "apps/support/terminal.h"
#include "core/atomic_file.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

cairo_status_t write_bytes(void* file, const unsigned char* bytes, unsigned int size) {
  return std::fwrite(bytes, 1, size, static_cast<std::FILE*>(file)) == size
             ? CAIRO_STATUS_SUCCESS
             : CAIRO_STATUS_WRITE_ERROR;
}

// The bytes of the character that the text begins with; 0 where it begins with none.
std::size_t character_length(std::string_view text) {
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};  // of so many bytes
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length > text.size() || (first >= 0x80 && first < 0xc0)) {
    return 0;
  }
  char32_t character = length == 1 ? first : first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) {
      return 0;
    }
    character = character << 6 | (byte & 0x3f);
  }
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  const bool reserved =
      (character >= 0xfdd0 && character < 0xfdf0) || (character & 0xfffe) == 0xfffe;
  const bool known = character >= kLeast[length] && character < 0x110000 && first < 0xf8;
  return known && !surrogate && !reserved ? length : 0;
}

constexpr std::size_t kLongest = 400;  // characters: more fit on no line

// What cairo can draw of the text; one bad string would stop all drawing.
std::string drawable(std::string_view text) {
  const std::string safe = printable(text);
  std::string result;
  for (std::size_t i = 0; i < safe.size();) {
    const std::size_t length = character_length(std::string_view(safe).substr(i));
    result += length == 0 ? "?" : safe.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return std::string(clip(result, kLongest));
}

}  // namespace

Drawing::Drawing(int width, int height)
    : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height),
               cairo_surface_destroy),
      context_(cairo_create(surface_.get()), cairo_destroy) {
  set_color({1.0, 1.0, 1.0});
  cairo_paint(context());
  cairo_select_font_face(context(), "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         CAIRO_FONT_WEIGHT_NORMAL);
}

// Fonts stay in caches otherwise, which leak checkers report.
Drawing::~Drawing() {
  context_.reset();
  surface_.reset();
  cairo_debug_reset_static_data();
  FcFini();
}

void Drawing::set_color(const Color& color) const {
  cairo_set_source_rgb(context(), color.r, color.g, color.b);
}

void Drawing::set_text_size(double size) const { cairo_set_font_size(context(), size); }

double Drawing::width_of(const std::string& words) const {
  cairo_text_extents_t extents;
  cairo_text_extents(context(), drawable(words).c_str(), &extents);
  return extents.x_advance;
}

void Drawing::write(const std::string& words, double x, double y, double anchor) const {
  cairo_move_to(context(), x - anchor * width_of(words), y);
  cairo_show_text(context(), drawable(words).c_str());
}

std::string Drawing::cut(const std::string& words, double width) const {
  std::string kept = drawable(words);
  if (width_of(kept) <= width) {
    return kept;
  }
  const auto is_inside_character = [&] { return (kept.back() & 0xc0) == 0x80; };
  while (!kept.empty() && width_of(kept + "...") > width) {
    while (is_inside_character()) {
      kept.pop_back();
    }
    kept.pop_back();
  }
  return kept + "...";
}

std::vector<std::string> Drawing::wrapped(const std::string& words, double width,
                                          std::size_t most_lines) const {
  std::istringstream rest(drawable(words));
  std::vector<std::string> lines(1);
  for (std::string word; rest >> word;) {
    std::string& line = lines.back();
    const std::string longer = text(line, line.empty() ? "" : " ", word);
    if (line.empty() || lines.size() == most_lines || width_of(longer) <= width) {
      line = longer;
    } else {
      lines.push_back(word);
    }
  }
  for (std::string& line : lines) {
    line = cut(line, width);
  }
  return lines;
}

void Drawing::stroke(double x0, double y0, double x1, double y1) const {
  cairo_move_to(context(), x0, y0);
  cairo_line_to(context(), x1, y1);
  cairo_stroke(context());
}

void Drawing::save(std::string_view op, const std::filesystem::path& path) const {
  const cairo_status_t drawn = cairo_status(context());
  check(drawn == CAIRO_STATUS_SUCCESS, op, ": ", path.string(),
        ": cannot be drawn: ", cairo_status_to_string(drawn));
  AtomicFile file(op, path);
  if (cairo_surface_write_to_png_stream(surface_.get(), write_bytes, file.stream()) !=
      CAIRO_STATUS_SUCCESS) {
    file.fail();
  }
  file.commit();
}

}  // namespace lamina::apps
