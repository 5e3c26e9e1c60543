#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <png.h>
#include <vector>

#include "core/atomic_file.h"
#include "data/check_image.h"
#include "data/codecs.h"
#include "data/file_limits.h"

namespace lamina::data {
namespace {

/// libpng's state on either side. Its errors longjmp: a frame in between must not own anything.
struct Codec {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::uint8_t> unread;
  bool truncated = false;
  char message[256] = {};

  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
};

struct Reader : Codec {
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct Writer : Codec {
  ~Writer() { png_destroy_write_struct(&png, &info); }
};

[[noreturn]] void stop(png_structp png, const char* message) {
  auto* codec = static_cast<Codec*>(png_get_error_ptr(png));
  std::snprintf(codec->message, sizeof codec->message, "%s", message);
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, const char*) {}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* codec = static_cast<Codec*>(png_get_io_ptr(png));
  if (count > codec->unread.size()) {
    codec->truncated = true;
    png_error(png, "unexpected end");
  }
  std::memcpy(to, codec->unread.data(), count);
  codec->unread = codec->unread.subspan(count);
}

/// False when libpng gave up in `action`, whose frame must not own anything.
template <class Action>
bool guarded(Codec& codec, const Action& action) {
  if (setjmp(png_jmpbuf(codec.png)) != 0) {
    return false;
  }
  action(codec.png, codec.info);
  return true;
}

void check_reader(bool success, const Codec& codec, const Source& source) {
  if (success) {
    return;
  }
  check_source(!codec.truncated, source, "the PNG is truncated: it ends after ",
               source.bytes.size(), " bytes");
  check_source(false, source, "the PNG is corrupt: ", codec.message);
}

/// Width and height are bytes 16 to 23, whatever follows.
void check_header(const Source& source) {
  const auto number = [&](std::size_t offset) {
    std::size_t value = 0;
    for (const std::uint8_t byte : source.bytes.subspan(offset, 4)) {
      value = value << 8 | byte;
    }
    return value;
  };
  if (source.bytes.size() >= 24) {
    check_limit(source, number(20), number(16));
  }
}

/// Reads up to the first pixels. Of the other chunks only the palette and the transparency count.
void open(Reader& reader, const Source& source) {
  constexpr png_uint_32 kMaxSide = 0x7fffffff;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, stop, ignore_warning);
  reader.info = reader.png == nullptr ? nullptr : png_create_info_struct(reader.png);
  check_source(reader.info != nullptr, source, "libpng cannot be started");
  reader.unread = source.bytes;
  const bool success = guarded(reader, [&](png_structp png, png_infop info) {
    png_set_read_fn(png, &reader, read_bytes);
    png_set_user_limits(png, kMaxSide, kMaxSide);
    png_set_chunk_malloc_max(png, limits::kPngChunk);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png, info);
  });
  check_reader(success, reader, source);
}

/// DEFLATE packs at most 1032 bytes into one.
std::size_t most_pixels(const Reader& reader, std::size_t bytes) {
  const std::size_t bits =
      png_get_bit_depth(reader.png, reader.info) * png_get_channels(reader.png, reader.info);
  return bytes * 1032 * 8 / bits;
}

bool has_alpha(const Reader& reader) {
  return (png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_ALPHA) != 0 ||
         png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
}

/// Decodes into rows of 8-bit RGB or RGBA; of 16 bits the upper 8 count.
bool read_rows(Reader& reader, std::uint8_t* pixels, std::size_t height, std::size_t stride) {
  return guarded(reader, [=](png_structp png, png_infop info) {
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != stride) {
      png_error(png, "unexpected length of a row");
    }
    for (int pass = 0; pass < passes; ++pass) {
      for (std::size_t y = 0; y < height; ++y) {
        png_read_row(png, pixels + y * stride, nullptr);
      }
    }
    png_read_end(png, nullptr);
  });
}

/// On white: (a c + (255 - a) 255) / 255, rounded to the nearest.
std::vector<std::uint8_t> composite(const std::vector<std::uint8_t>& rgba) {
  std::vector<std::uint8_t> rgb(rgba.size() / 4 * 3);
  const std::uint8_t* from = rgba.data();
  for (std::size_t i = 0; i < rgb.size(); i += 3, from += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      const int sum = from[3] * from[c] + (255 - from[3]) * 255;
      rgb[i + c] = static_cast<std::uint8_t>((sum + 127) / 255);
    }
  }
  return rgb;
}

void write_rows(png_structp png, png_infop info, std::FILE* file, const Image& image) {
  png_init_io(png, file);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (std::size_t y = 0; y < image.height; ++y) {
    png_write_row(png, image.pixels.data() + y * image.width * 3);
  }
  png_write_end(png, info);
}

}  // namespace

Image decode_png(const Source& source) {
  check_header(source);
  Reader reader;
  open(reader, source);
  Image image{png_get_image_height(reader.png, reader.info),
              png_get_image_width(reader.png, reader.info),
              {}};
  check_limit(source, image.height, image.width);  // the header may come later
  check_fits(source, image, most_pixels(reader, source.bytes.size()));
  const bool alpha = has_alpha(reader);
  const std::size_t stride = image.width * (alpha ? 4 : 3);
  image.pixels.resize(image.height * stride);
  const bool success = read_rows(reader, image.pixels.data(), image.height, stride);
  check_reader(success, reader, source);
  if (alpha) {
    image.pixels = composite(image.pixels);
  }
  return image;
}

void write_png(const std::filesystem::path& path, const Image& image) {
  constexpr std::size_t kMaxSide = 0x7fffffff;
  check_image("write_png", image);
  check(image.height <= kMaxSide && image.width <= kMaxSide,
        "write_png: sides must be below 2^31: ", image.height, " x ", image.width);
  AtomicFile file("write_png", path);
  Writer writer;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, stop, ignore_warning);
  writer.info = writer.png == nullptr ? nullptr : png_create_info_struct(writer.png);
  check(writer.info != nullptr, "write_png: ", path.string(), ": libpng cannot be started");
  if (!guarded(writer, [&](png_structp png, png_infop info) {
        write_rows(png, info, file.stream(), image);
      })) {
    file.fail();
  }
  file.commit();
}

}  // namespace lamina::data
