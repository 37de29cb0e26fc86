#include "predict/prediction_json.h"

#include "core/printable.h"

namespace dfine::inline predict {

nlohmann::ordered_json to_json(const PictureInfo& info) {
  nlohmann::ordered_json record{{"image_id", info.id}, {"file_name", utf8_text(info.name)}};
  if (info.frame) {
    record["frame_index"] = info.frame->index;
    record["time"] = info.frame->seconds;
  }
  return record;
}

void add_prediction(nlohmann::ordered_json& record, const Prediction& p) {
  const auto& b = p.xyxy;
  record["category_id"] = p.category_id;
  if (p.has_name) record["category_name"] = utf8_text(p.label);
  record["bbox"] = {b[0], b[1], b[2] - b[0], b[3] - b[1]};
  record["score"] = p.score;
}

}  // namespace dfine::inline predict
