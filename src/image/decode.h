#pragma once
// Image files to pixels: JPEG (libjpeg-turbo), PNG (libpng), WebP (libwebp), BMP, TIFF (libtiff),
// distinguished by their first bytes.
//
// The pixels are those of Pillow's `Image.open(file).convert("RGB")`, which is what the reference
// implementations train on. Alpha is dropped, 16-bit colour keeps its high byte, and 16-bit grey is
// clipped at 255. CMYK and YCCK are taken as Adobe's inverted form. Colour profiles and the EXIF
// orientation are not applied, nor TIFF's own (which Pillow applies).
//
// Every function throws Error and names what is wrong; the caller knows the file and adds it
// (ErrorContext). Nothing is printed.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "image/image.h"
#include "image/window.h"

namespace dfine::inline image {

enum class ImageFormat { kJpeg, kPng, kWebp, kBmp, kTiff };

/// "JPEG", "PNG", "WebP", "BMP", "TIFF".
std::string_view format_name(ImageFormat format);

struct ImageInfo {
  ImageFormat format{};
  int width = 0, height = 0;  // pixels as stored, before any EXIF orientation
  int channels =
      0;  // as stored: 1 grey, 2 grey and alpha, 3 colour (palettes too), 4 with alpha, or CMYK
};

/// By the first bytes of a file (kFileKindBytes of image/file_kind.h are enough), whatever its name
/// is; nothing for files of other kinds.
std::optional<ImageFormat> image_format(std::span<const uint8_t> first_bytes);

/// Larger pictures are refused, before memory is taken for them: Pillow's limit for decompression
/// bombs, 2 * (1 GiB / 4 / 3).
inline constexpr int64_t kMaxImagePixels = 178'956'970;

/// Reads the header alone; the rest of the file may be missing or damaged. Animated WebP files,
/// compressed BMP files and JPEG files of more than 8 bits are refused. So are JPEG files of kinds
/// that decode_image does not read (lossless, hierarchical). TIFF files are refused that have
/// several pages, other than 8-bit integer samples, or other colours than grey, RGB and palettes.
/// The directory of a TIFF file may stand at its end.
ImageInfo probe_image(std::span<const uint8_t> file);

/// Checks that the file was not cut short, without decoding: damage within the compressed data is
/// seen by decode_image alone. JPEG: markers up to the end-of-image marker, with a frame and a
/// scan; what follows it is ignored, as cameras append previews and padding. PNG: chunks with their
/// checksums up to IEND. WebP: chunks fill the length the file states. BMP: all rows. TIFF: all
/// strips or tiles lie within the file. probe_image's conditions hold as well.
void check_complete(std::span<const uint8_t> file);

/// Decodes to RGB. A file that ends early or whose data are damaged is an error, never a half-grey
/// picture. Harmless oddities that leave the pixels intact are none: stray bytes between JPEG
/// markers, bad colour profiles.
Image decode_image(std::span<const uint8_t> file);

/// The same into `image`, whose memory is used again: saves a loader the allocation for every
/// picture. Unspecified after an error.
void decode_image(std::span<const uint8_t> file, Image& image);

/// The same where only the pixels of `part` matter: those outside it are left in any state. `part`
/// may reach outside the picture. That saves time with JPEG files that are not progressive. They
/// are read to their end all the same, so damage anywhere is an error.
void decode_image(std::span<const uint8_t> file, Image& image, const Window& part);

}  // namespace dfine::inline image
