#pragma once
// Results files of the form that programs write, read by several threads at once.
#include <optional>
#include <string_view>
#include <vector>

#include "core/thread_pool.h"
#include "metrics/coco_json.h"
#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// What read_coco_detections() reads of `text`, the bytes of a file. `names`, if not null, gets the
/// names. Nothing where the text is wrong, or has a form that is not read here, such as escapes in
/// names. The careful reader then reads it, or says what is wrong.
std::optional<std::vector<Detection>> scan_results(std::string_view text, ResultNames* names,
                                                   ThreadPool& pool);

}  // namespace dfine::inline metrics
