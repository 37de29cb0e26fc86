// Any text as data.yaml and any as a label file, around one image.
#include "data/formats/yolo.h"

#include <algorithm>

#include "coco_check.h"
#include "core/error.h"
#include "memory_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const dfine::fuzz::MemoryFolder folder;
  static dfine::ThreadPool pool(0);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(text.find('\0'), size);  // data.yaml, a zero byte, the labels
  folder.put("images/a.png", dfine::fuzz::kPngHeader);
  folder.put("data.yaml", text.substr(0, cut));
  folder.put("labels/a.txt", text.substr(std::min(cut + 1, size)));
  try {
    dfine::fuzz::check(
        dfine::read_yolo(folder.path() / "data.yaml", "train", folder.path() / "images", pool)
            .coco);
  } catch (const dfine::Error&) {
  }
  return 0;
}
