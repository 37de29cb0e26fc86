#pragma once
// From images and annotations to a pack; what dfine-pack runs.
#include <cstddef>
#include <string>
#include <vector>

#include "data/category.h"
#include "data/data_note.h"
#include "data/data_warning.h"
#include "data/packing/options.h"
#include "data/packing/result.h"

namespace dfine::inline packing {

struct PackSummary {
  std::vector<Category> categories;
  std::vector<PackedSplit> sets;     // of this part alone while parts are missing
  std::vector<std::string> skipped;  // with skip_bad: one line for each problem
  size_t skipped_images = 0;
  bool part_was_done = false;         // with `part`: by an earlier run
  std::string report_problem;         // what report.html lacks, and why; empty: it is as asked for
  std::vector<DataNote> notes;        // on the whole dataset, also while parts are missing
  std::vector<DataWarning> warnings;  // on the whole dataset, once it is complete
  std::vector<size_t>
      missing_parts;  // with `part`: those still to come; none: the pack is complete
};

/// Packs. Whatever fails (see docs/data-format.md) throws an Error that names file and record and
/// leaves nothing behind; an existing pack is replaced at the very end. An existing output that is
/// no pack, or a pack without `overwrite`, is refused. That is checked at the beginning and again
/// at the end, so that what somebody else has put there meanwhile stays.
PackSummary pack(const PackOptions& options);

}  // namespace dfine::inline packing
