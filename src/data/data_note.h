#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dfine::inline data {

/// Something about a dataset that is no error, but that the closing summary and the report list:
/// how often, and the first cases.
struct DataNote {
  static constexpr size_t kShown = 10;     // in the summary
  static constexpr size_t kKept = 10'000;  // in the report

  std::string what;  // "images that share a label file"
  size_t count = 0;
  std::vector<std::string> first;  // the first kKept cases

  void add(std::string example) {
    if (count++ < kKept) first.push_back(std::move(example));
  }
};

/// Appends the note unless it has no cases.
inline void append_note(std::vector<DataNote>& notes, DataNote note) {
  if (note.count > 0) notes.push_back(std::move(note));
}

}  // namespace dfine::inline data
