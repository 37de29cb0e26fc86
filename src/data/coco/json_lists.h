#pragma once
// Cuts a large JSON file, an object with lists of records, into pieces that can be parsed on their
// own, several at once.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dfine::inline coco {

/// Some whole records of one list, with the commas between them.
struct JsonPiece {
  size_t list = 0;          // index into the names asked for
  size_t first_record = 0;  // index of the first record in the list
  uint64_t offset = 0;      // of `text` in the file
  std::string_view text;    // at least one record
};

/// Where in the text something is wrong.
struct JsonFault {
  uint64_t offset = 0;
  std::string what;        // "has images[3] that is not an object"
  bool broken = false;     // no JSON at all, rather than JSON of another form
  bool after_end = false;  // something follows the object, at `offset`
};

/// Walks over `text`, calling take(piece) for pieces of about `piece_bytes` of the lists named, in
/// the order in which they stand. Inside of the records it looks at brackets and strings alone:
/// whoever parses the pieces finds what else is wrong. Throws JsonFault where the text is no
/// object, ends early, or has one of the lists twice or not at all. So it does for a record that is
/// no object. What stands beside the lists is only checked to be UTF-8 with matching brackets.
void cut_json_lists(std::string_view text, std::span<const std::string_view> names,
                    size_t piece_bytes, const std::function<void(const JsonPiece&)>& take);

}  // namespace dfine::inline coco
