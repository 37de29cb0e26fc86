#pragma once
// libtiff on a file in memory; not for use outside src/image.
#include <tiffio.h>

#include <array>
#include <cstdint>
#include <memory>

#include "image/codecs.h"

namespace dfine::codecs {

/// An open TIFF file. It has its own handlers for libtiff's messages, so that none reaches the
/// terminal.
class TiffStream {
 public:
  /// Reads the first directory. Throws Error when it cannot. `file` must outlive the stream.
  explicit TiffStream(Bytes file);
  TiffStream(const TiffStream&) = delete;
  TiffStream& operator=(const TiffStream&) = delete;

  TIFF* tiff() const { return tiff_.get(); }
  Bytes file() const { return state_.file; }
  /// libtiff's last error.
  const char* error() const { return state_.error.data(); }
  /// The first warning since the last call of forget_warning(); empty: none.
  const char* warning() const { return state_.warning.data(); }
  void forget_warning() { state_.warning[0] = 0; }

  /// What the callbacks work on.
  struct State {
    Bytes file;
    uint64_t at = 0;
    std::array<char, 256> error{"no reason given"};
    std::array<char, 256> warning{};
  };

 private:
  struct Close {
    void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  };
  State state_;
  std::unique_ptr<TIFF, Close> tiff_;
};

}  // namespace dfine::codecs
