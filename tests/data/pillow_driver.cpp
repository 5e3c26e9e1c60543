#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include "core/error.h"
#include "data/resize.h"

namespace {

using namespace lamina;

data::Image answer(const std::string& line) {
  std::istringstream words(line);
  std::string path, filter;
  std::size_t height = 0, width = 0;
  words >> path;
  data::Image image = data::read_image(path);
  if (words >> height >> width >> filter) {
    return data::resize(image, height, width,
                        filter == "bicubic" ? data::Filter::bicubic : data::Filter::bilinear);
  }
  return image;
}

}  // namespace

/// Each line of the standard input is "FILE" or "FILE HEIGHT WIDTH FILTER"; the answer to each is
/// "height width\n" and the pixels, or "error message\n".
int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const data::Image image = answer(line);
      std::printf("%zu %zu\n", image.height, image.width);
      std::fwrite(image.pixels.data(), 1, image.pixels.size(), stdout);
    } catch (const Error& error) {
      std::printf("error %s\n", error.what());
    }
    std::fflush(stdout);
  }
}
