#include <filesystem>
#include <map>

#include "classes/class_names.h"
#include "core/error.h"
#include "core/text.h"
#include "weights/dfine_tensors.h"
#include "weights/folder_manifest.h"
#include "weights/hf_config.h"
#include "weights/official_state.h"
#include "weights/tensor_file.h"
#include "weights/weights.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

int64_t side(const Shapes& shapes, const std::string& name, size_t dimension) {
  const auto found = shapes.find(name);
  if (found == shapes.end() || found->second.size() <= dimension)
    throw Error(kWeightsUnsupported,
                str_cat("tensor ", name, " is missing or has too few dimensions"),
                "These are not weights of D-FINE.");
  return found->second[dimension];
}

/// The published sizes differ in the channels of the stem; n and s share those and differ in the
/// decoder's width.
ModelSize size_of(const Shapes& shapes) {
  const int64_t stem = side(shapes, "model.backbone.model.embedder.stem4.convolution.weight", 0);
  const int64_t width = side(shapes, "model.decoder.layers.0.fc1.weight", 1);
  for (const ModelVariant& variant : model_variants())
    if (variant.backbone->stem_out == stem && variant.decoder_dim == width) return variant.size;
  throw Error(
      kWeightsUnsupported,
      str_cat("no D-FINE size has a stem of ", stem, " and a decoder of ", width, " channels"),
      "Put their config.json beside the weights.");
}

/// What a lone file says besides.
void complete_lone_file(const std::string& file, const Shapes& shapes,
                        ModelDescription& description) {
  if (!shapes.contains("model.denoising_class_embed.weight")) description.spec.num_denoising = 0;
  const Tensor anchors = read_one_tensor(file, "decoder.anchors");
  if (!anchors.defined()) return;
  if (const auto size = anchor_size(anchors, description.spec.strides())) {
    description.image_height = size->height;
    description.image_width = size->width;
  }
}

}  // namespace

void name_known_classes(ModelDescription& description) {
  const std::vector<std::string> known = known_class_names(description.class_names);
  if (known.empty() || names_classes(description.class_names)) return;
  for (size_t label = 0; label < known.size(); ++label)
    if (!known[label].empty()) description.class_names[label] = known[label];
  if (known == coco_class_names() && description.category_ids.empty())
    description.category_ids = coco_category_ids();
}

ModelDescription describe_weights(const std::string& path) {
  const std::string file = weights_file(path);
  const ErrorContext at("while describing the weights ", file);
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  Shapes shapes;
  for (const auto& [name, tensor] : read_dfine_tensors(file, TensorData::kShapes))
    shapes.emplace(published_name(name), tensor.sizes().vec());
  const int64_t classes = side(shapes, "model.enc_score_head.bias", 0);
  const bool has_config = !is_tensor_file(path) && std::filesystem::exists(folder / "config.json");
  if (has_config) {
    for (const char* name : {"config.json", "preprocessor_config.json"})
      verify_if_listed(folder / name);
  }
  ModelDescription description{
      has_config ? read_hf_config(folder.string())
                 : ModelDescription{model_spec(size_of(shapes), classes), {}, {}}};
  if (!has_config) complete_lone_file(file, shapes, description);
  if (description.class_names.empty()) {
    for (int64_t label = 0; label < classes; ++label)
      description.class_names.push_back(str_cat("LABEL_", label));  // as transformers
    description.spec.num_classes = classes;
  }
  if (description.spec.num_classes != classes)
    throw Error(kClassMismatch,
                str_cat("config.json names ", description.spec.num_classes,
                        " classes, but the weights have ", classes),
                "Correct id2label in config.json.");
  return description;
}

}  // namespace dfine::inline weights
