#include "image/encode.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline image {
using enum ErrorCode;

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  const auto what = [&] {
    return str_cat("cannot write ", image.width, " x ", image.height, " pixels as JPEG of quality ",
                   quality, ": ");
  };
  // The library's length computation does not expect sizes that the format cannot hold.
  constexpr int kLargest = 65500;
  if (image.width < 1 || image.height < 1 || image.width > kLargest || image.height > kLargest) {
    throw Error(kBadValue, str_cat(what(), "the format takes 1 to ", kLargest, " pixels a side"),
                "write a PNG instead");
  }
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  if (!encoder) throw Error(kInternal, str_cat(what(), tjGetErrorStr2(nullptr)));
  std::vector<uint8_t> file(tjBufSize(image.width, image.height, TJSAMP_444));
  unsigned char* target = file.data();
  unsigned long size = file.size();
  if (tjCompress2(encoder.get(), image.pixels.data(), image.width, 0, image.height, TJPF_RGB,
                  &target, &size, TJSAMP_444, quality,
                  TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) != 0) {
    throw Error(kInternal, str_cat(what(), tjGetErrorStr2(encoder.get())));
  }
  file.resize(size);
  return file;
}

std::vector<uint8_t> encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(std::max(image.width, 0));
  header.height = static_cast<png_uint_32>(std::max(image.height, 0));
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<uint8_t> file(size);
  if (!png_image_write_to_memory(&header, file.data(), &size, 0, image.pixels.data(), 0, nullptr)) {
    throw Error(kInternal, str_cat("cannot write ", image.width, " x ", image.height,
                                   " pixels as PNG: ", header.message));
  }
  file.resize(size);
  return file;
}

}  // namespace dfine::inline image
