// Any bytes as an annotation file: an Error, or annotations that are what data/coco/read_coco.h
// promises.
#include "coco_check.h"
#include "core/error.h"
#include "data/coco/read_coco.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const dfine::fuzz::MemoryFile file({data, size});
  try {
    dfine::fuzz::check(dfine::read_coco(file.path(), 1));
  } catch (const dfine::Error&) {
  }
  return 0;
}
