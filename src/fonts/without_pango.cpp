#include "fonts/system_font.h"

namespace dfine::inline fonts {

std::unique_ptr<LabelFont> system_font() {
  return nullptr;
}

}  // namespace dfine::inline fonts
