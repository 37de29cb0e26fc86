// PNG through libpng. It leaves through longjmp on errors. Only the static functions that call
// setjmp are ever left that way, and they hold no object with a destructor.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const uint8_t* next = nullptr;  // what is left of the file
  size_t left = 0;
  std::jmp_buf failed;
  char message[256] = "out of memory";

  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& decoder = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(decoder.message, sizeof decoder.message, "%s", message);
  std::longjmp(decoder.failed, 1);
}

/// Warnings concern colour profiles, text and the like: nothing that the pixels depend on.
void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, size_t size) {
  auto& decoder = *static_cast<Decoder*>(png_get_io_ptr(png));
  if (size > decoder.left) png_error(png, "the file is cut short");
  std::memcpy(out, decoder.next, size);
  decoder.next += size;
  decoder.left -= size;
}

/// Reads all up to the image data and sets the conversion to 8-bit RGB, or for `keep_grey16` none;
/// false: decoder.message says why not.
bool start(Decoder& decoder, bool& keep_grey16) {
  if (setjmp(decoder.failed)) return false;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_error, on_warning);
  if (!decoder.png) return false;
  decoder.info = png_create_info_struct(decoder.png);
  if (!decoder.info) return false;
  png_set_read_fn(decoder.png, &decoder, on_read);
  png_set_user_limits(decoder.png, PNG_UINT_31_MAX,
                      PNG_UINT_31_MAX);  // decode_image has its own limit
  png_read_info(decoder.png, decoder.info);

  const int colour_type = png_get_color_type(decoder.png, decoder.info);
  keep_grey16 =
      colour_type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(decoder.png, decoder.info) == 16;
  if (!keep_grey16) {
    png_set_strip_16(decoder.png);
    if (colour_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(decoder.png);
    if (colour_type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(decoder.png);
    if (!(colour_type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(decoder.png);
    png_set_strip_alpha(decoder.png);
  }
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  return true;
}

/// Reads all pixels and what follows them up to IEND, whose absence is an error.
bool read_rows(Decoder& decoder, uint8_t** rows) {
  if (setjmp(decoder.failed)) return false;
  png_read_image(decoder.png, rows);
  png_read_end(decoder.png, nullptr);
  return true;
}

/// Grey values of 16 bits, big-endian, to RGB as Pillow takes them: clipped at 255, not scaled.
void clip_grey16(const std::vector<uint8_t>& grey, std::vector<uint8_t>& rgb) {
  for (size_t i = 0; i < grey.size() / 2; ++i) {
    const uint8_t value = grey[2 * i] ? 255 : grey[2 * i + 1];
    rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = value;
  }
}

}  // namespace

void decode_png(Bytes file, const ImageInfo& info, Image& image) {
  Decoder decoder;
  decoder.next = file.data();
  decoder.left = file.size();
  bool keep_grey16 = false;
  const auto fail = [&] {
    throw Error(kImageDamaged, str_cat("the PNG file is damaged: ", decoder.message),
                "fetch the file again");
  };
  if (!start(decoder, keep_grey16)) fail();

  const size_t row_bytes = keep_grey16 ? static_cast<size_t>(info.width) * 2 : image.row_bytes();
  if (png_get_rowbytes(decoder.png, decoder.info) != row_bytes ||
      png_get_image_height(decoder.png, decoder.info) != unsigned(info.height)) {
    throw Error(kImageDamaged, "the PNG file is damaged: it has more than one header",
                "fetch the file again");
  }
  std::vector<uint8_t> grey(keep_grey16 ? row_bytes * static_cast<size_t>(info.height) : 0);
  std::vector<uint8_t*> rows(static_cast<size_t>(info.height));
  for (size_t y = 0; y < rows.size(); ++y)
    rows[y] = (keep_grey16 ? grey.data() : image.pixels.data()) + y * row_bytes;
  if (!read_rows(decoder, rows.data())) fail();
  if (keep_grey16) clip_grey16(grey, image.pixels);
}

}  // namespace dfine::codecs
