#pragma once
#include <memory>

#include "image/label_font.h"

namespace dfine::inline fonts {

/// The fonts of this machine, by Pango: text of any script in its proper form and direction. Null
/// where there are no fonts, and in a build without Pango: draw_boxes() has strokes for that. A
/// warning shows the first character of each script that no font has, and a package that has it.
/// Such characters appear as boxes with their number.
std::unique_ptr<LabelFont> system_font();

}  // namespace dfine::inline fonts
