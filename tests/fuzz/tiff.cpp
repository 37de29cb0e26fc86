#include "image_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return dfine::fuzz::decode_anything({data, size}, dfine::ImageFormat::kTiff);
}
