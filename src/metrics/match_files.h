#pragma once
// Image ids of a results file that mean other files than the annotation file's.
#include <span>
#include <string>
#include <vector>

#include "metrics/coco_json.h"
#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// Compares the files that the records of a results file name with those that their image ids have
/// in `truth`. Two names mean one file when they are equal or one ends with the other, from a '/'
/// on: names may be relative to another folder.
/// - All agree, or no record names a file: nothing changes. Records without a name go by their id.
/// - One does not: each record gets the image id of the file it names, and a line that says so is
///   returned (empty otherwise). Each record must name a file then, that file must be one image of
///   `truth`, and two image ids may not name the same file. Else an Error names the first record
///   that does not agree, and what keeps the files from being matched.
/// `truth` without file names agrees with all. `predictions` and `annotations` are for messages.
std::string match_by_file_name(const GroundTruth& truth, std::span<const NamedRecords> names,
                               std::vector<Detection>& detections, const std::string& predictions,
                               const std::string& annotations);

}  // namespace dfine::inline metrics
