#pragma once
// What dfine-pack does on the command line's behalf: reports go to stdout, progress to stderr,
// failures leave as Error.
#include <filesystem>

#include "data/packing/packer.h"

namespace dfine {

/// Packs (`options.progress` and `.interrupted` are set here) and prints the closing summary.
void run_pack(PackOptions options);

void run_info(const std::filesystem::path& folder);

/// Prints each damaged shard or record; true when there is none.
bool run_verify(const std::filesystem::path& folder, int jobs, bool decode);

/// Gives images and a COCO annotation file back.
void run_extract(const std::filesystem::path& folder, const std::filesystem::path& output,
                 int jobs);

}  // namespace dfine
