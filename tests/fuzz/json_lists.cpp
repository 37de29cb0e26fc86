// Any text cut into pieces as small as they come: each lies in the text where it says, and they
// follow one another.
#include "data/coco/json_lists.h"

#include <array>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::array<std::string_view, 3> kLists{"images", "annotations", "categories"};
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  std::array<size_t, 3> records{};
  uint64_t end = 0;
  try {
    dfine::cut_json_lists(text, kLists, data[0], [&](const dfine::JsonPiece& piece) {
      require(piece.list < kLists.size() && !piece.text.empty());
      require(piece.offset >= end && piece.offset + piece.text.size() <= text.size());
      require(text.substr(piece.offset, piece.text.size()) == piece.text &&
              piece.text.data() == text.data() + piece.offset);
      require(
          piece.text.front() ==
          '{');  // what it ends with is for the parser to judge: brackets are counted, not paired
      require(records[piece.list] == 0 ? piece.first_record == 0
                                       : piece.first_record > records[piece.list] - 1);
      records[piece.list] = piece.first_record + 1;
      end = piece.offset + piece.text.size();
    });
  } catch (const dfine::JsonFault& fault) {
    require(fault.offset <= text.size() && !fault.what.empty());
  }
  return 0;
}
