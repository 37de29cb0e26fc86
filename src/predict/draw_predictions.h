#pragma once
#include <vector>

#include "image/image.h"
#include "image/label_font.h"
#include "predict/picture.h"

namespace dfine::inline predict {

/// Boxes with class and score, the best on top. `font`: as for draw_boxes().
void draw_predictions(Image& image, const std::vector<Prediction>& predictions,
                      const LabelFont* font);

}  // namespace dfine::inline predict
