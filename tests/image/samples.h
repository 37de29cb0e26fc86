#pragma once
// The small files under samples/ (written by make_samples.py: 40 x 28 pixels, one of each kind).
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/raises.h"

namespace dfine {

inline std::vector<uint8_t> read_sample(const std::string& name) {
  const char* source = std::getenv("DFINE_SOURCE_DIR");
  const std::string path = std::string(source ? source : ".") + "/tests/image/samples/" + name;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw Error(ErrorCode::kInternal, "cannot open " + path,
                "run the tests through ctest, which sets DFINE_SOURCE_DIR");
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Every sample that can be decoded.
inline const std::vector<std::string> kSamples{
    "baseline.jpg",   "progressive.jpg", "restarts.jpg",     "grey.jpg",
    "cmyk.jpg",       "palette.png",     "alpha.png",        "grey16.png",
    "interlaced.png", "lossy.webp",      "lossy_alpha.webp", "lossless_alpha.webp",
    "colour.bmp",     "palette.bmp",     "lzw.tif",          "jpeg.tif",
    "tiles.tif"};

}  // namespace dfine
