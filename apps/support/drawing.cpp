#include "apps/support/drawing.h"

#include <cstdio>
#include <fontconfig/fontconfig.h>

#include "core/atomic_file.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

cairo_status_t write_bytes(void* file, const unsigned char* bytes, unsigned int size) {
  return std::fwrite(bytes, 1, size, static_cast<std::FILE*>(file)) == size
             ? CAIRO_STATUS_SUCCESS
             : CAIRO_STATUS_WRITE_ERROR;
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
  cairo_text_extents(context(), words.c_str(), &extents);
  return extents.x_advance;
}

void Drawing::write(const std::string& words, double x, double y, double anchor) const {
  cairo_move_to(context(), x - anchor * width_of(words), y);
  cairo_show_text(context(), words.c_str());
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
