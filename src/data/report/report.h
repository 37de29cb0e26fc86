#pragma once
// report.html: what a pack holds and what to look at in it. One file, without scripts and without
// anything from elsewhere; the same pack gives the same bytes.
#include <filesystem>
#include <string>
#include <vector>

#include "data/category.h"
#include "data/data_note.h"
#include "data/data_warning.h"
#include "data/report/packed_split.h"

namespace dfine::inline report {

inline constexpr const char* kReportName = "report.html";

struct ReportInput {
  std::filesystem::path folder;  // that holds the packs
  std::vector<Category> categories;
  const std::vector<PackedSplit>& sets;
  std::vector<std::string> skipped;  // one line for each problem
  std::vector<DataNote> notes;
  std::vector<DataWarning> warnings;
  std::filesystem::path compare;  // another pack, to find images that both contain; or empty
};

struct Reports {
  std::vector<std::string> pages;  // of all packs, in their order
  std::vector<DataWarning>
      warnings;  // those of the input, and what the comparison of the packs gives
};

/// Reads the shards, and throws Error where one is damaged, or `compare` is no pack. The two
/// sides of a split are compared with each other too.
Reports make_reports(const ReportInput& input);

}  // namespace dfine::inline report
