#pragma once

#include <cairo.h>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// For programs that were built with cairo.
namespace lamina::apps {

/// Red, green and blue in [0, 1].
struct Color {
  double r, g, b;
};

/// A picture to draw in, white at first. Places and sizes are pixels, from the upper left corner.
/// Text is UTF-8: control characters and bytes that are none are drawn as '?'.
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

  /// The text where it fits into that width, else its beginning and "...".
  std::string cut(const std::string& words, double width) const;

  /// The text in lines that fit into that width, broken at spaces: at least one, at most
  /// `most_lines`, the last of them cut where there is more.
  std::vector<std::string> wrapped(const std::string& words, double width,
                                   std::size_t most_lines) const;

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
