// TIFF through libtiff: one page of 8-bit grey, RGB or palette colours, with or without alpha, in
// strips or tiles.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"
#include "image/tiff_stream.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

constexpr const char* kConvert = "convert it to PNG or to an 8-bit RGB TIFF of one page";
constexpr const char* kFetch = "fetch the file again";
/// A tile may be larger than the picture; a crafted one must not take all memory.
constexpr uint64_t kMaxTileBytes = 256 << 20;

/// Throws Error where values that the pixels depend on lie outside of the file: libtiff goes on
/// without them. The directory itself has been read by libtiff. Entries have 12 bytes: tag, type,
/// count, and the values or, where they need more than 4 bytes, their place.
void check_directory(Bytes file) {
  constexpr std::array<size_t, 14> kTypeBytes{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
  constexpr std::array<uint32_t, 10> kNeeded{
      TIFFTAG_BITSPERSAMPLE, TIFFTAG_STRIPOFFSETS,    TIFFTAG_STRIPBYTECOUNTS, TIFFTAG_COLORMAP,
      TIFFTAG_TILEOFFSETS,   TIFFTAG_TILEBYTECOUNTS,  TIFFTAG_EXTRASAMPLES,    TIFFTAG_SAMPLEFORMAT,
      TIFFTAG_JPEGTABLES,    TIFFTAG_YCBCRSUBSAMPLING};
  const auto read = [&](uint64_t at, size_t bytes) {
    uint64_t value = 0;
    for (size_t k = 0; k < bytes; ++k)
      value = value << 8 |
              (at + k < file.size() ? file[at + (file[0] == 'M' ? k : bytes - 1 - k)] : 0U);
    return value;
  };
  const uint64_t directory = read(4, 4);
  const uint64_t end = directory + 2 + 12 * read(directory, 2);  // the place of the next follows
  if (file.size() < end + 4)
    throw Error(
        kImageDamaged,
        str_cat("the TIFF file is cut short: its ", file.size(), " bytes end within its directory"),
        kFetch);
  for (uint64_t entry = directory + 2; entry < end; entry += 12) {
    const uint64_t tag = read(entry, 2), type = read(entry + 2, 2);
    if (std::ranges::find(kNeeded, tag) == kNeeded.end() || type >= kTypeBytes.size()) continue;
    const uint64_t bytes = kTypeBytes[type] * read(entry + 4, 4), at = read(entry + 8, 4);
    if (bytes > 4 && (at > file.size() || bytes > file.size() - at))
      throw Error(kImageDamaged,
                  str_cat("the TIFF file is cut short: it has ", file.size(),
                          " bytes, and the values of tag ", tag, " end at byte ", at + bytes),
                  kFetch);
  }
}

/// How the picture is stored.
struct Layout {
  ImageInfo info;
  uint16_t photometric = 0, compression = 0;
  size_t samples = 0;       // per pixel, extra ones too
  bool planes = false;      // one plane after another, not interleaved
  bool associated = false;  // colours are multiplied by alpha, the last sample
};

class Reader {
 public:
  explicit Reader(Bytes file) : stream_(file) { read_layout(); }

  const ImageInfo& info() const { return layout_.info; }

  /// Throws Error unless all strips or tiles lie within the file, and what is needed to read them.
  void check_extent() {
    check_directory(stream_.file());
    const bool tiled = TIFFIsTiled(stream_.tiff()) != 0;
    const uint32_t count =
        tiled ? TIFFNumberOfTiles(stream_.tiff()) : TIFFNumberOfStrips(stream_.tiff());
    const char* const what = tiled ? "tile " : "strip ";
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t offset = TIFFGetStrileOffset(stream_.tiff(), i),
                     bytes = TIFFGetStrileByteCount(stream_.tiff(), i);
      const uint64_t size = stream_.file().size();
      if (offset == 0 || bytes == 0)
        throw Error(kImageDamaged,
                    str_cat("the TIFF file is damaged: ", what, i, " of ", count, " has no data"),
                    kFetch);
      if (offset > size || bytes > size - offset)
        throw Error(kImageDamaged,
                    str_cat("the TIFF file is cut short: it has ", size, " bytes, and ", what, i,
                            " of ", count, " ends at byte ", offset + bytes),
                    kFetch);
    }
  }

  void decode(Image& image) {
    if (layout_.compression == COMPRESSION_JPEG && layout_.photometric == PHOTOMETRIC_YCBCR)
      TIFFSetField(stream_.tiff(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    stream_.forget_warning();  // those of the header concern tags that the pixels do not depend on
    if (TIFFIsTiled(stream_.tiff())) {
      read_tiles(image);
    } else {
      read_strips(image);
    }
    // Warnings of the codecs say that data were missing or made up; LZW's alone says that the file
    // is old.
    if (*stream_.warning() != 0 && layout_.compression != COMPRESSION_LZW)
      throw Error(kImageDamaged, str_cat("the TIFF file is damaged: ", stream_.warning()), kFetch);
  }

 private:
  uint32_t number(uint32_t tag, uint32_t absent) const {
    uint32_t value = absent;
    return TIFFGetField(stream_.tiff(), tag, &value) == 1 ? value : absent;
  }
  uint16_t short_number(uint32_t tag) const {
    uint16_t value = 0;
    TIFFGetFieldDefaulted(stream_.tiff(), tag, &value);
    return value;
  }

  [[noreturn]] void fail() const {
    throw Error(kImageDamaged, str_cat("the TIFF file is damaged: ", stream_.error()), kFetch);
  }

  void read_layout() {
    const uint32_t width = number(TIFFTAG_IMAGEWIDTH, 0), height = number(TIFFTAG_IMAGELENGTH, 0);
    if (width > INT32_MAX || height > INT32_MAX)
      throw Error(kImageDamaged,
                  str_cat("the TIFF file is damaged: ", width, " x ", height, " pixels"), kFetch);
    if (!TIFFLastDirectory(stream_.tiff()))
      throw Error(kImageUnsupported,
                  "the TIFF file has several pages; files of one page can be read", kConvert);
    if ((number(TIFFTAG_SUBFILETYPE, 0) & FILETYPE_REDUCEDIMAGE) != 0)
      throw Error(kImageUnsupported,
                  "the TIFF file begins with a preview, as a camera's raw files do", kConvert);
    layout_.compression = short_number(TIFFTAG_COMPRESSION);
    layout_.samples = short_number(TIFFTAG_SAMPLESPERPIXEL);
    layout_.planes =
        layout_.samples > 1 && short_number(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
    check_samples();
    check_compression();
    check_colours();
    layout_.info = {
        ImageFormat::kTiff, static_cast<int>(width), static_cast<int>(height),
        layout_.photometric == PHOTOMETRIC_PALETTE ? 3 : static_cast<int>(layout_.samples)};
  }

  void check_samples() const {
    const uint16_t bits = short_number(TIFFTAG_BITSPERSAMPLE),
                   format = short_number(TIFFTAG_SAMPLEFORMAT);
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
      throw Error(kImageUnsupported,
                  str_cat("the TIFF file has ",
                          format == SAMPLEFORMAT_IEEEFP ? "floating-point"
                          : format == SAMPLEFORMAT_INT  ? "signed"
                                                        : "complex",
                          " samples; 8-bit ones can be read"),
                  kConvert);
    if (bits != 8)
      throw Error(kImageUnsupported,
                  str_cat("the TIFF file has ", counted(bits, "bit"), " per sample; 8 can be read"),
                  kConvert);
  }

  void check_compression() const {
    constexpr std::array<uint16_t, 6> kRead{COMPRESSION_NONE,          COMPRESSION_LZW,
                                            COMPRESSION_PACKBITS,      COMPRESSION_JPEG,
                                            COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE};
    if (std::ranges::find(kRead, layout_.compression) == kRead.end() ||
        !TIFFIsCODECConfigured(layout_.compression))
      throw Error(kImageUnsupported,
                  str_cat("the TIFF file is compressed by method ", layout_.compression,
                          "; uncompressed, LZW, Deflate, PackBits and JPEG ones can be read"),
                  kConvert);
  }

  void check_colours() {
    if (TIFFGetField(stream_.tiff(), TIFFTAG_PHOTOMETRIC, &layout_.photometric) != 1)
      throw Error(kImageUnsupported,
                  "the TIFF file does not say what its colours mean (no PhotometricInterpretation)",
                  kConvert);
    size_t colours = 0;
    switch (layout_.photometric) {
      case PHOTOMETRIC_MINISWHITE:
      case PHOTOMETRIC_MINISBLACK:
      case PHOTOMETRIC_PALETTE:
        colours = 1;
        break;
      case PHOTOMETRIC_RGB:
        colours = 3;
        break;
      case PHOTOMETRIC_YCBCR:
        if (layout_.compression != COMPRESSION_JPEG || layout_.planes)
          throw Error(kImageUnsupported, "the TIFF file has YCbCr colours without JPEG compression",
                      kConvert);
        colours = 3;
        break;
      case PHOTOMETRIC_SEPARATED:
        throw Error(kImageUnsupported, "the TIFF file has CMYK colours", kConvert);
      default:
        throw Error(kImageUnsupported,
                    str_cat("the TIFF file has colours of kind ", layout_.photometric,
                            "; grey, RGB and palettes can be read"),
                    kConvert);
    }
    const bool alpha_fits =
        layout_.photometric == PHOTOMETRIC_MINISBLACK || layout_.photometric == PHOTOMETRIC_RGB;
    if (layout_.samples != colours && !(alpha_fits && layout_.samples == colours + 1))
      throw Error(kImageUnsupported,
                  str_cat("the TIFF file has ", counted(layout_.samples, "sample"),
                          " per pixel; grey and RGB can be read, with or without alpha"),
                  kConvert);
    uint16_t count = 0;
    uint16_t* kinds = nullptr;
    layout_.associated = layout_.samples > colours &&
                         TIFFGetField(stream_.tiff(), TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 &&
                         count > 0 && kinds[0] == EXTRASAMPLE_ASSOCALPHA;
  }

  size_t planes() const { return layout_.planes ? layout_.samples : 1; }
  size_t samples_of_plane() const { return layout_.planes ? 1 : layout_.samples; }

  /// A row at a time, for a strip may be the whole picture. Planes come one after another, as
  /// codecs read forwards.
  void read_strips(Image& image) {
    const auto width = static_cast<size_t>(layout_.info.width);
    const size_t row_samples = width * layout_.samples;
    if (TIFFScanlineSize64(stream_.tiff()) != width * samples_of_plane()) fail();
    std::vector<uint8_t> row(width * samples_of_plane());
    std::vector<uint8_t> planes_of_image(
        layout_.planes ? row_samples * static_cast<size_t>(layout_.info.height) : 0);
    for (size_t plane = 0; plane < planes(); ++plane) {
      for (int y = 0; y < layout_.info.height; ++y) {
        if (TIFFReadScanline(stream_.tiff(), row.data(), static_cast<uint32_t>(y),
                             static_cast<uint16_t>(plane)) != 1)
          fail();
        if (!layout_.planes) {
          to_rgb(row.data(), image.row(y), width);
        } else {
          interleave(row.data(), planes_of_image.data() + static_cast<size_t>(y) * row_samples,
                     width, plane);
        }
      }
    }
    for (int y = 0; layout_.planes && y < layout_.info.height; ++y)
      to_rgb(planes_of_image.data() + static_cast<size_t>(y) * row_samples, image.row(y), width);
  }

  void read_tiles(Image& image) {
    const uint32_t width = number(TIFFTAG_TILEWIDTH, 0), height = number(TIFFTAG_TILELENGTH, 0);
    const uint64_t bytes = TIFFTileSize64(stream_.tiff()), pixels = uint64_t{width} * height;
    if (pixels == 0 || pixels > kMaxTileBytes / 4)
      throw Error(kImageUnsupported,
                  str_cat("the TIFF file has tiles of ", width, " x ", height, " pixels"),
                  kConvert);
    if (bytes != pixels * samples_of_plane()) fail();
    std::vector<uint8_t> tile(bytes), pixel_tile(layout_.planes ? pixels * layout_.samples : 0);
    const auto image_width = static_cast<uint32_t>(layout_.info.width),
               image_height = static_cast<uint32_t>(layout_.info.height);
    for (uint32_t y = 0; y < image_height; y += std::min(height, image_height - y)) {
      for (uint32_t x = 0; x < image_width; x += std::min(width, image_width - x)) {
        for (size_t plane = 0; plane < planes(); ++plane) {
          if (TIFFReadTile(stream_.tiff(), tile.data(), x, y, 0, static_cast<uint16_t>(plane)) < 0)
            fail();
          if (layout_.planes) interleave(tile.data(), pixel_tile.data(), pixels, plane);
        }
        const uint8_t* from = layout_.planes ? pixel_tile.data() : tile.data();
        const uint32_t columns = std::min(width, image_width - x),
                       rows = std::min(height, image_height - y);
        for (uint32_t r = 0; r < rows; ++r, from += size_t{width} * layout_.samples)
          to_rgb(from, image.row(static_cast<int>(y + r)) + size_t{x} * 3, columns);
      }
    }
  }

  /// One plane's samples to their places among those of all planes.
  void interleave(const uint8_t* plane, uint8_t* all, size_t count, size_t place) const {
    for (size_t i = 0; i < count; ++i) all[i * layout_.samples + place] = plane[i];
  }

  void to_rgb(const uint8_t* samples, uint8_t* rgb, size_t count) {
    const bool colours =
        layout_.photometric == PHOTOMETRIC_RGB || layout_.photometric == PHOTOMETRIC_YCBCR;
    if (layout_.photometric == PHOTOMETRIC_PALETTE) return palette_to_rgb(samples, rgb, count);
    for (size_t i = 0; i < count; ++i, samples += layout_.samples, rgb += 3) {
      for (size_t c = 0; c < 3; ++c) {
        uint8_t value = samples[colours ? c : 0];
        if (layout_.photometric == PHOTOMETRIC_MINISWHITE)
          value = static_cast<uint8_t>(255 - value);
        if (layout_.associated) value = without_alpha(value, samples[layout_.samples - 1]);
        rgb[c] = value;
      }
    }
  }

  /// The colour before it was multiplied by alpha.
  static uint8_t without_alpha(uint8_t value, uint8_t alpha) {
    return alpha == 0 ? uint8_t{0} : static_cast<uint8_t>(std::min(255, value * 255 / alpha));
  }

  void palette_to_rgb(const uint8_t* indices, uint8_t* rgb, size_t count) {
    std::array<uint16_t*, 3> map{};  // 256 entries each: libtiff refuses others
    if (TIFFGetField(stream_.tiff(), TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]) != 1)
      throw Error(kImageDamaged, "the TIFF file is damaged: it has no palette", kFetch);
    for (size_t i = 0; i < count; ++i, rgb += 3) {
      for (size_t c = 0; c < 3; ++c) rgb[c] = static_cast<uint8_t>(map[c][indices[i]] >> 8);
    }
  }

  TiffStream stream_;
  Layout layout_;
};

}  // namespace

ImageInfo probe_tiff(Bytes file) {
  return Reader(file).info();
}

void check_tiff(Bytes file) {
  Reader(file).check_extent();
}

void decode_tiff(Bytes file, const ImageInfo&, Image& image) {
  Reader reader(file);
  reader.check_extent();
  reader.decode(image);
}

}  // namespace dfine::codecs
