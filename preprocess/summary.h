#pragma once
// Text for the terminal.
#include <string>
#include <vector>

#include "data/packing/packer.h"

namespace dfine {

/// "1.5 GiB".
std::string size_text(uint64_t bytes);

void print_classes(const std::vector<Category>& categories, const std::vector<ClassCount>& classes);

/// What was found, and what to do; nothing for an empty list.
void print_warnings(const std::vector<DataWarning>& warnings);

/// The closing summary of a run that took `seconds`.
void print_summary(const PackSummary& summary, const PackOptions& options, double seconds);

}  // namespace dfine
