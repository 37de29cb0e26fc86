#include "data/packing/read_annotations.h"

#include "core/error.h"
#include "core/text.h"
#include "data/coco/read_coco.h"
#include "data/formats/unlisted_files.h"
#include "data/formats/voc.h"
#include "data/formats/yolo.h"

namespace dfine::inline packing {

Annotations read_annotations(const PackOptions& options, ThreadPool& pool) {
  std::error_code failed;
  const bool folder_needed = options.format == AnnotationFormat::kCoco || !options.images.empty();
  if (folder_needed && !std::filesystem::is_directory(options.images, failed))
    throw Error(ErrorCode::kFileMissing,
                str_cat("the image folder ", options.images.string(), " does not exist"),
                "check --images");
  switch (options.format) {
    case AnnotationFormat::kYolo:
      return read_yolo(options.annotations, options.split, options.images, pool);
    case AnnotationFormat::kVoc:
      return read_voc(options.annotations, options.split, options.images, options.classes, pool);
    case AnnotationFormat::kCoco:
      break;
  }
  Annotations annotations{read_coco(options.annotations, options.jobs), options.images, {}};
  annotations.notes = find_unlisted_files(annotations.coco, options.images, pool);
  return annotations;
}

}  // namespace dfine::inline packing
