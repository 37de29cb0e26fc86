#pragma once
#include <string>
#include <vector>

#include "data/data_note.h"
#include "data/data_warning.h"
#include "data/report/counts.h"
#include "data/report/data.h"
#include "data/report/duplicates.h"

namespace dfine::inline report {

struct SharedImages {
  std::string pack;  // the other one
  std::vector<DuplicateFinder::Pair> images;
};

struct ReportPage {
  std::string set;  // "train"; may be empty
  const ReportData& data;
  const PackCounts& counts;
  size_t shards = 0;
  std::vector<std::string> skipped;  // one line for each problem
  std::vector<DataNote> notes;
  std::vector<DataWarning> warnings;
  std::vector<std::vector<std::string>> duplicates;  // groups of names
  std::vector<SharedImages> shared;
};

/// The page as HTML.
std::string render(const ReportPage& page);

}  // namespace dfine::inline report
