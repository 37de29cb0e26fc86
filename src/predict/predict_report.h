#pragma once
// What dfine-predict says at the end of a run.
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "predict/input_images.h"

namespace dfine::inline predict {

/// Nothing passed: the best score that was seen, and a threshold to try.
void report_nothing_found(double highest, double threshold);

/// Of how many pictures the EXIF orientation was applied; `stored_because`: why it was not.
void report_orientations(int64_t count, const std::string& stored_because);

void report_skipped(const std::vector<FileNote>& skipped);

/// An Error that lists them, if there are any. `images`: how many were to be read.
std::optional<Error> unreadable_error(const std::vector<FileNote>& unreadable, int64_t images);

}  // namespace dfine::inline predict
