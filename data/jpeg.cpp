#include <cstdio>
// libjpeg's headers need FILE declared.
#include <jerror.h>
#include <jpeglib.h>
#include <optional>
#include <setjmp.h>
#include <vector>

#include "data/codecs.h"
#include "data/exif.h"
#include "data/file_limits.h"

namespace lamina::data {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;

/// libjpeg's state. Its errors longjmp to `on_error`: a frame in between must not own anything.
struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  jmp_buf on_error;
  bool truncated = false;
  char message[JMSG_LENGTH_MAX] = {};

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }
};

[[noreturn]] void stop(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  decoder->truncated = info->err->msg_code == JWRN_JPEG_EOF;
  info->err->format_message(info, decoder->message);
  longjmp(decoder->on_error, 1);
}

/// Warnings (level -1) tell of lost data, but for three that leave the picture whole.
void warn(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM &&
      code != JWRN_JFIF_MAJOR) {
    stop(info);
  }
}

/// A progressive file may ask for any number of passes over the whole picture.
void limit_scans(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  if (decoder->info.input_scan_number > limits::kJpegScans) {
    std::snprintf(decoder->message, sizeof decoder->message, "more than %d scans",
                  limits::kJpegScans);
    longjmp(decoder->on_error, 1);
  }
}

/// False when libjpeg gave up in `action`, whose frame must not own anything.
template <class Action>
bool guarded(Decoder& decoder, const Action& action) {
  if (setjmp(decoder.on_error) != 0) {
    return false;
  }
  action(decoder.info);
  return true;
}

void check_decoder(bool success, const Decoder& decoder, const Source& source) {
  if (success) {
    return;
  }
  check_source(!decoder.truncated, source, "the JPEG is truncated: it ends after ",
               source.bytes.size(), " bytes");
  check_source(false, source, "the JPEG is corrupt: ", decoder.message);
}

void open(Decoder& decoder, const Source& source) {
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.info.client_data = &decoder;
  decoder.errors.error_exit = stop;
  decoder.errors.emit_message = warn;
  decoder.progress.progress_monitor = limit_scans;
  const bool success = guarded(decoder, [&](jpeg_decompress_struct& info) {
    jpeg_create_decompress(&info);
    info.progress = &decoder.progress;
    jpeg_mem_src(&info, source.bytes.data(), source.bytes.size());
    jpeg_save_markers(&info, kExifMarker, 0xffff);
    jpeg_read_header(&info, TRUE);
  });
  check_decoder(success, decoder, source);
}

/// Every 8 x 8 block takes a bit at least. Coded arithmetically, a flat one takes a thousandth.
std::size_t most_pixels(const Decoder& decoder, std::size_t bytes) {
  return bytes * 8 * 64 * (decoder.info.arith_code ? limits::kArithmeticGain : 1);
}

std::uint8_t multiply(int a, int b) {
  const int product = a * b + 128;
  return static_cast<std::uint8_t>((product + (product >> 8)) >> 8);
}

/// Files hold CMYK inverted, as Adobe's do: 255 is no ink. R = K - (255 - C) K / 255, rounded.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::size_t width, std::uint8_t* rgb) {
  for (std::size_t x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[c] = static_cast<std::uint8_t>(cmyk[3] - multiply(255 - cmyk[c], cmyk[3]));
    }
  }
}

void read_rows(jpeg_decompress_struct& info, std::uint8_t* pixels) {
  jpeg_start_decompress(&info);
  const std::size_t width = info.output_width;
  const bool cmyk = info.out_color_space == JCS_CMYK;
  JSAMPARRAY buffer = info.mem->alloc_sarray(reinterpret_cast<j_common_ptr>(&info), JPOOL_IMAGE,
                                             info.output_width * 4, 1);
  while (info.output_scanline < info.output_height) {
    std::uint8_t* row = pixels + info.output_scanline * width * 3;
    JSAMPROW target = cmyk ? buffer[0] : row;
    jpeg_read_scanlines(&info, &target, 1);
    if (cmyk) {
      cmyk_to_rgb(target, width, row);
    }
  }
  jpeg_finish_decompress(&info);
}

Orientation orientation_of(const jpeg_decompress_struct& info) {
  for (jpeg_saved_marker_ptr marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const Orientation orientation = exif_orientation({marker->data, marker->data_length});
    if (orientation != Orientation::top_left) {
      return orientation;
    }
  }
  return Orientation::top_left;
}

}  // namespace

Image decode_jpeg(const Source& source) {
  Decoder decoder;
  open(decoder, source);
  jpeg_decompress_struct& info = decoder.info;
  Image image{info.image_height, info.image_width, {}};
  check_limit(source, image.height, image.width);
  check_fits(source, image, most_pixels(decoder, source.bytes.size()));
  check_source(info.num_components == 1 || info.num_components == 3 || info.num_components == 4,
               source, "the JPEG must have 1, 3 or 4 components: has ", info.num_components);
  info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  const Orientation orientation = orientation_of(info);
  image.pixels.resize(image.height * image.width * 3);
  const bool success = guarded(
      decoder, [&](jpeg_decompress_struct& state) { read_rows(state, image.pixels.data()); });
  check_decoder(success, decoder, source);
  return turn_upright(std::move(image), orientation);
}

}  // namespace lamina::data
