#pragma once

#include <cairo.h>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

/// For programs that were built with cairo.
namespace lamina::apps {

/// Red, green and blue in [0, 1].
struct Color {
  double r, g, b;
};

/// A picture to draw in, white at first. Places and sizes are pixels, from the upper left corner.
class Drawing {
 public:
  Drawing(int width, int height);
  ~Drawing();
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;

  /// For what cairo offers and is not here.
  cairo_t* context() const { return context_.get(); }

  void set_color(const Color& color) const;
  void set_text_size(double size) const;

  /// How far text reaches, at the size set.
  double width_of(const std::string& words) const;

  /// Text on the base line y, of the color set; `anchor` is the share of its width left of x.
  void write(const std::string& words, double x, double y, double anchor = 0.0) const;

  /// A straight line of the color and line width set.
  void stroke(double x0, double y0, double x1, double y1) const;

  /// Writes a PNG: complete under its name or not at all. Throws Error in the name of `op`, also
  /// when something could not be drawn.
  void save(std::string_view op, const std::filesystem::path& path) const;

 private:
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
  std::unique_ptr<cairo_t, decltype(&cairo_destroy)> context_;
};

}  // namespace lamina::apps
