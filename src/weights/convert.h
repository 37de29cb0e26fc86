#pragma once
// Weights from one layout into another.
#include <string>

namespace dfine::inline weights {

enum class WeightsLayout {
  kHub,       // a folder as Hugging Face publishes it: config.json, preprocessor_config.json,
              // model.safetensors
  kOfficial,  // a .pth file for the official code (Peterande/D-FINE): `model` and `ema.module`
};

/// Writes the weights at `in` (whatever weights_file() takes) to `out` in another layout. Values
/// stay bit for bit. The folder of a model without class names gets those that known_class_names()
/// knows for its number of classes, and for COCO's the category ids.
///
/// Throws Error if the weights are not a complete D-FINE model. It also does if `out` exists,
/// cannot be written, or has not the layout's ending. `out` appears complete or not at all.
void convert_weights(const std::string& in, const std::string& out, WeightsLayout layout);

}  // namespace dfine::inline weights
