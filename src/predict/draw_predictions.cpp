#include "predict/draw_predictions.h"

#include "core/text.h"
#include "image/draw.h"

namespace dfine::inline predict {

void draw_predictions(Image& image, const std::vector<Prediction>& predictions,
                      const LabelFont* font) {
  std::vector<DrawnBox> boxes;
  for (auto p = predictions.rbegin(); p != predictions.rend(); ++p) {
    boxes.push_back({p->xyxy[0], p->xyxy[1], p->xyxy[2], p->xyxy[3],
                     static_cast<int>(p->class_index), str_cat(p->label, " ", fixed(p->score, 2))});
  }
  draw_boxes(image, boxes, font);
}

}  // namespace dfine::inline predict
