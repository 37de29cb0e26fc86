#pragma once
#include <cstdint>
#include <set>

namespace dfine::inline fonts {

/// Warns of characters that no font has, once per script.
class MissingCharacters {
 public:
  void add(char32_t character);

 private:
  std::set<int> scripts_;  // GUnicodeScript, warned of
};

}  // namespace dfine::inline fonts
