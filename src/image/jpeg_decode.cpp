// JPEG through libjpeg-turbo's own interface: unlike TurboJPEG's it tells the kind of a warning,
// and harmless ones are many.
//
// libjpeg leaves through longjmp on errors. Only the functions that call setjmp are ever left that
// way, and what they call; none holds an object with a destructor.
#include <csetjmp>
#include <cstdio>
#include <vector>

#include <jpeglib.h>
// After jpeglib.h, which it needs.
#include <jerror.h>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

/// A crafted progressive file may hold thousands of scans of a large frame; encoders write about
/// ten.
constexpr int kMaxScans = 500;
/// libjpeg hands out one row group at a time: at most this many rows.
constexpr int kRowsPerCall = 16;

struct Decoder {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
};

Decoder& decoder_of(j_common_ptr jpeg) {
  return *static_cast<Decoder*>(jpeg->client_data);
}

[[noreturn]] void on_error(j_common_ptr jpeg) {
  Decoder& decoder = decoder_of(jpeg);
  decoder.errors.format_message(jpeg, decoder.message);
  std::longjmp(decoder.failed, 1);
}

/// Warnings after which the pixels are still those the encoder wrote.
bool is_harmless(int code) {
  return code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC || code == JWRN_EXTRANEOUS_DATA ||
         code == JWRN_JFIF_MAJOR || code == JWRN_NOT_SEQUENTIAL || code == JWRN_TOO_MUCH_DATA;
}

void on_message(j_common_ptr jpeg, int level) {
  if (level < 0 && !is_harmless(jpeg->err->msg_code))
    on_error(jpeg);  // below 0: a warning; else a trace message
}

void on_output(j_common_ptr) {}

void on_progress(j_common_ptr jpeg) {
  if (!jpeg->is_decompressor ||
      reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans)
    return;
  Decoder& decoder = decoder_of(jpeg);
  std::snprintf(decoder.message, sizeof decoder.message, "more than %d scans", kMaxScans);
  std::longjmp(decoder.failed, 1);
}

/// Reads the header and starts decompression with the output colours chosen; false: decoder.message
/// says why not.
bool start(Decoder& decoder, const uint8_t* data, unsigned long size) {
  if (setjmp(decoder.failed)) return false;
  jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.progress = &decoder.progress;
  jpeg_mem_src(&decoder.jpeg, data, size);
  jpeg_read_header(&decoder.jpeg, TRUE);
  decoder.jpeg.out_color_space = decoder.jpeg.num_components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&decoder.jpeg);
  return true;
}

/// Pillow's conversion: ink amounts come inverted (255 = no ink), and each colour is (255 - k) *
/// (255 - ink) / 255, rounded its way.
void cmyk_to_rgb(const uint8_t* cmyk, uint8_t* rgb, size_t width) {
  for (size_t x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int white = cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[c]) * white + 128;
      rgb[c] = static_cast<uint8_t>(white - (((product >> 8) + product) >> 8));
    }
  }
}

/// Reads rows until `end` into `rgb`, which is where pixel 0 of the next row goes; rows are
/// `stride` bytes apart. `cmyk` holds kRowsPerCall rows of four channels where the output is CMYK,
/// and is null otherwise.
void read_rows(jpeg_decompress_struct& jpeg, JDIMENSION end, uint8_t* rgb, size_t stride,
               uint8_t* cmyk) {
  const size_t width = jpeg.output_width;
  while (jpeg.output_scanline < end) {
    const JDIMENSION left = end - jpeg.output_scanline;
    const JDIMENSION wanted = left < kRowsPerCall ? left : kRowsPerCall;
    JSAMPROW rows[kRowsPerCall];
    for (JDIMENSION i = 0; i < wanted; ++i)
      rows[i] = cmyk ? cmyk + i * width * 4 : rgb + i * stride;
    const JDIMENSION read = jpeg_read_scanlines(&jpeg, rows, wanted);
    for (JDIMENSION i = 0; i < read; ++i, rgb += stride)
      if (cmyk) cmyk_to_rgb(rows[i], rgb, width);
  }
}

/// Reads the whole picture into `rgb` ([height, width, 3]) and the file up to its end marker.
bool read_all(Decoder& decoder, uint8_t* rgb, uint8_t* cmyk) {
  if (setjmp(decoder.failed)) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  read_rows(jpeg, jpeg.output_height, rgb, size_t{jpeg.output_width} * 3, cmyk);
  jpeg_finish_decompress(&jpeg);
  return true;
}

/// Reads the pixels of `part`, which lies inside the picture and is not empty, and some around it.
/// The rest of the file is read too, but neither transformed nor converted.
bool read_part(Decoder& decoder, uint8_t* rgb, const Window& part) {
  if (setjmp(decoder.failed)) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  const size_t stride = size_t{jpeg.output_width} * 3;
  // Where colours have fewer samples than there are pixels, they are interpolated between
  // neighbours. Those beyond the sides of what is decoded are missing, so one unit of the
  // compression more is decoded on each side. Above and below libjpeg has them.
  const auto margin = static_cast<JDIMENSION>(jpeg.max_h_samp_factor * DCTSIZE);
  const auto left = static_cast<JDIMENSION>(part.left), top = static_cast<JDIMENSION>(part.top),
             right = static_cast<JDIMENSION>(part.right()),
             bottom = static_cast<JDIMENSION>(part.bottom());
  const JDIMENSION last = jpeg.output_height - 1;
  JDIMENSION from = left > margin ? left - margin : 0;
  JDIMENSION width =
      (jpeg.output_width - right > margin ? right + margin : jpeg.output_width) - from;
  if (width < jpeg.output_width) jpeg_crop_scanline(&jpeg, &from, &width);
  uint8_t* const pixels = rgb + size_t{from} * 3;
  if (top > 0) jpeg_skip_scanlines(&jpeg, top);
  read_rows(jpeg, bottom, pixels + jpeg.output_scanline * stride, stride, nullptr);
  // The last row is never skipped: libjpeg would leave the rest of the file unread.
  if (jpeg.output_scanline < last) jpeg_skip_scanlines(&jpeg, last - jpeg.output_scanline);
  read_rows(jpeg, jpeg.output_height, pixels + jpeg.output_scanline * stride, stride, nullptr);
  jpeg_finish_decompress(&jpeg);
  return true;
}

struct DestroyOnExit {
  jpeg_decompress_struct& jpeg;
  ~DestroyOnExit() { jpeg_destroy_decompress(&jpeg); }
};

}  // namespace

void decode_jpeg(Bytes file, const ImageInfo& info, const Window& part, Image& image) {
  Decoder decoder{};
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = on_error;
  decoder.errors.emit_message = on_message;
  decoder.errors.output_message = on_output;
  decoder.jpeg.client_data = &decoder;
  decoder.progress.progress_monitor = on_progress;

  const DestroyOnExit destroy{decoder.jpeg};
  const auto fail = [&] {
    throw Error(kImageDamaged,
                str_cat("the JPEG file is damaged or not supported: ", decoder.message),
                "fetch the file again, or convert it to PNG");
  };
  if (!start(decoder, file.data(), file.size())) fail();
  if (static_cast<int>(decoder.jpeg.output_width) != info.width ||
      static_cast<int>(decoder.jpeg.output_height) != info.height) {
    throw Error(kImageDamaged,
                str_cat("the JPEG file is damaged: its frame headers disagree, ", info.width, " x ",
                        info.height, " and ", decoder.jpeg.output_width, " x ",
                        decoder.jpeg.output_height, " pixels"));
  }
  const bool has_cmyk = decoder.jpeg.out_color_space == JCS_CMYK;
  // libjpeg smooths the blocks of a progressive file with few scans. How depends on blocks around
  // them, also on some outside the part.
  const bool whole = has_cmyk || decoder.jpeg.progressive_mode || part.empty() ||
                     part == Window{0, 0, info.width, info.height};
  if (!whole) {
    if (!read_part(decoder, image.pixels.data(), part)) fail();
    return;
  }
  std::vector<uint8_t> cmyk(has_cmyk ? image.row_bytes() / 3 * 4 * kRowsPerCall : 0);
  if (!read_all(decoder, image.pixels.data(), has_cmyk ? cmyk.data() : nullptr)) fail();
}

}  // namespace dfine::codecs
