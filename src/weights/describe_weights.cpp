#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/text.h"
#include "weights/folder_manifest.h"
#include "weights/hf_config.h"
#include "weights/safetensors.h"
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

}  // namespace

ModelDescription describe_weights(const std::string& path) {
  const std::string file = weights_file(path);
  const ErrorContext at("while describing the weights ", file);
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  Shapes shapes;
  for (const auto& [name, shape] : read_safetensors_shapes(file))
    shapes.emplace(published_name(name), shape);
  const int64_t classes = side(shapes, "model.enc_score_head.bias", 0);
  const bool has_config =
      !path.ends_with(".safetensors") && std::filesystem::exists(folder / "config.json");
  if (has_config) {
    for (const char* name : {"config.json", "preprocessor_config.json"})
      verify_if_listed(folder / name);
  }
  ModelDescription description{
      has_config ? read_hf_config(folder.string())
                 : ModelDescription{model_spec(size_of(shapes), classes), {}, {}}};
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
