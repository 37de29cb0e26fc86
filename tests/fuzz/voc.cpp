// Any text as the XML file of one image.
#include "data/formats/voc.h"

#include "coco_check.h"
#include "core/error.h"
#include "memory_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const dfine::fuzz::MemoryFolder folder;
  static dfine::ThreadPool pool(0);
  folder.put("JPEGImages/a.png", dfine::fuzz::kPngHeader);
  folder.put("Annotations/a.xml", {reinterpret_cast<const char*>(data), size});
  try {
    dfine::fuzz::check(dfine::read_voc(folder.path(), "", {}, {}, pool).coco);
  } catch (const dfine::Error&) {
  }
  return 0;
}
