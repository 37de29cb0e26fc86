#pragma once
// A pack made by several runs, one for each part of its shards, on one or many nodes with a common
// file system.
//
//   OUTPUT.parts/part-2-of-4/   appears whole when part 2 is done: its shards, and part.json with
//                               the record of what it gave
//   OUTPUT.parts/pack/          the pack in the making, once all parts are there
//
// Whichever run sees that all parts are there completes the pack; several may at once. Each step is
// a rename that only one of them can make, or writes what every one would write. So they cannot
// hinder each other. Where a run was killed meanwhile, running any part again completes the pack.
// There are no locks, because network file systems often lack them.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/packing/options.h"
#include "data/packing/result.h"

namespace dfine::inline packing {

class PackParts {
 public:
  /// `plan`: checksum of what is packed; all parts must have the same.
  PackParts(std::filesystem::path output, PackPart part, uint32_t plan);

  /// Where this run's part goes, for AtomicFolder.
  std::filesystem::path own_folder() const { return folder_of(part_.index); }
  /// What this part gave, if an earlier run has packed it. Throws Error when parts of another
  /// division or of other input lie there.
  std::optional<PackResult> done() const;
  void write_record(const std::filesystem::path& folder, const PackResult& result) const;

  /// Parts that are not done yet.
  std::vector<size_t> missing() const;

  /// The results of all parts, in their order. Throws Error when one was made from other input or
  /// with other options.
  PackResult gather() const;
  /// Moves all shards into one folder and returns it.
  std::filesystem::path join(const PackResult& result) const;
  /// Adds `files` (name in the pack, content) to that folder, and gives it the name of the output.
  void complete(const std::vector<std::pair<std::filesystem::path, std::string>>& files) const;
  /// Is the pack there, by this run or another?
  bool completed(const std::vector<std::string>& sets) const;
  /// Removes what is left of the parts.
  void remove() const;

 private:
  std::filesystem::path folder_of(size_t index) const;
  ReadPackResult read(size_t index) const;

  std::filesystem::path output_, base_;
  PackPart part_;
  uint32_t plan_;
};

}  // namespace dfine::inline packing
