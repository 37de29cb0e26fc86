// The structure of a JPEG file (ITU-T T.81, annex B). It is read far enough for the size of the
// frame and to see that the end is there.
#include <cstdio>
#include <cstring>
#include <optional>

#include <jpeglib.h>

#include "core/error.h"
#include "core/text.h"
#include "image/codecs.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

enum Marker : int {
  kTem = 0x01,
  kRst0 = 0xD0,
  kRst7 = 0xD7,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA
};

bool is_frame_header(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 /* DHT */ && marker != 0xC8 /* JPG */ &&
         marker != 0xCC /* DAC */;
}

bool stands_alone(int marker) {
  return marker == kTem || (marker >= kRst0 && marker <= kSoi);
}

[[noreturn]] void throw_cut(Bytes file, const char* where) {
  throw Error(kImageDamaged,
              str_cat("the JPEG file is cut short: its ", file.size(), " bytes end ", where),
              "fetch the file again");
}

class MarkerWalk {
 public:
  explicit MarkerWalk(Bytes file) : file_(file) {}

  /// Moves to the next marker and returns its code; bytes before it (padding, entropy-coded data)
  /// are skipped, as decoders do. Nothing if the file ends first.
  std::optional<int> next() {
    while (at_ < file_.size()) {
      const auto* found =
          static_cast<const uint8_t*>(std::memchr(file_.data() + at_, 0xFF, file_.size() - at_));
      if (!found) break;
      at_ = static_cast<size_t>(found - file_.data());
      while (at_ < file_.size() && file_[at_] == 0xFF) ++at_;
      if (at_ == file_.size()) break;
      const int code = file_[at_++];
      if (code != 0) return code;  // FF 00 is a data byte FF
    }
    at_ = file_.size();
    return std::nullopt;
  }

  /// The parameters of the marker segment at hand, without their length field; moves behind them.
  Bytes segment(int marker) {
    if (file_.size() - at_ < 2) throw_cut(file_, "within a marker segment");
    const size_t length = static_cast<size_t>(file_[at_] << 8 | file_[at_ + 1]);
    if (length < 2)
      throw Error(kImageDamaged, str_cat("the JPEG file is damaged: segment length ", length,
                                         " of marker ", marker, " at byte ", at_));
    if (file_.size() - at_ < length) throw_cut(file_, "within a marker segment");
    const Bytes parameters = file_.subspan(at_ + 2, length - 2);
    at_ += length;
    return parameters;
  }

 private:
  Bytes file_;
  size_t at_ = 2;  // behind the start-of-image marker
};

/// Does the decoder read such frames (T.81, table B.1)? Baseline, extended and progressive ones;
/// those with arithmetic coding where the library was built with it. No lossless (SOF3, 7, 11, 15)
/// or hierarchical ones (SOF5 to 7, 13 to 15).
bool can_be_decoded(int marker) {
#ifdef D_ARITH_CODING_SUPPORTED
  if (marker == 0xC9 || marker == 0xCA) return true;
#endif
  return marker == 0xC0 || marker == 0xC1 || marker == 0xC2;
}

ImageInfo read_frame_header(int marker, Bytes parameters) {
  constexpr const char* kConvert =
      "convert it to an ordinary JPEG (8 bits, baseline or progressive) or to PNG";
  if (!can_be_decoded(marker)) {
    const int type = marker - 0xC0;
    const char* kind = type % 4 == 3  ? "lossless"
                       : type % 8 > 4 ? "hierarchical"
                                      : "arithmetic coding";
    throw Error(kImageUnsupported,
                str_cat("the JPEG file is of a kind that cannot be read: ", kind,
                        " (frame type SOF", type, ")"),
                kConvert);
  }
  if (parameters.size() < 6)
    throw Error(kImageDamaged, str_cat("the JPEG file is damaged: its frame header has ",
                                       parameters.size(), " bytes"));
  if (const int bits = parameters[0]; bits != 8)
    throw Error(kImageUnsupported,
                str_cat("the JPEG file has ", counted(bits, "bit"), " per sample; 8 can be read"),
                kConvert);
  // Grey, colour, CMYK: what both libjpeg and Pillow read.
  if (const int channels = parameters[5]; channels != 1 && channels != 3 && channels != 4)
    throw Error(kImageUnsupported, str_cat("the JPEG file has ", channels, " colour components"),
                "only grey, RGB/YCbCr and CMYK files can be read; convert it to PNG");
  return {.format = ImageFormat::kJpeg,
          .width = parameters[3] << 8 | parameters[4],
          .height = parameters[1] << 8 | parameters[2],
          .channels = parameters[5]};
}

}  // namespace

ImageInfo probe_jpeg(Bytes file) {
  MarkerWalk walk(file);
  while (const auto marker = walk.next()) {
    if (stands_alone(*marker)) continue;
    if (*marker == kEoi || *marker == kSos)
      throw Error(kImageDamaged, "the JPEG file has no frame header",
                  "the file is damaged; fetch it again");
    const Bytes parameters = walk.segment(*marker);
    if (is_frame_header(*marker)) return read_frame_header(*marker, parameters);
  }
  throw_cut(file, "before the frame header");
}

void check_jpeg(Bytes file) {
  MarkerWalk walk(file);
  bool scan_seen = false;
  while (const auto marker = walk.next()) {
    if (stands_alone(*marker)) continue;
    if (*marker == kEoi) {
      if (!scan_seen)
        throw Error(kImageDamaged, "the JPEG file has no image data: it ends before the first scan",
                    "fetch the file again");
      return;
    }
    walk.segment(*marker);
    scan_seen |= *marker == kSos;
  }
  throw_cut(file, scan_seen ? "within the image data, without an end-of-image marker"
                            : "before the image data");
}

}  // namespace dfine::codecs
