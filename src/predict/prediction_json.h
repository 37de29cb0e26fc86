#pragma once
#include <nlohmann/json.hpp>

#include "predict/picture.h"

namespace dfine::inline predict {

/// {image_id, file_name}, and {frame_index, time} of a frame.
nlohmann::ordered_json to_json(const PictureInfo& info);

/// Adds {category_id, category_name, bbox [x, y, w, h], score}; without category_name where the
/// class has no name.
void add_prediction(nlohmann::ordered_json& record, const Prediction& prediction);

}  // namespace dfine::inline predict
