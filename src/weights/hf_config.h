#pragma once
// config.json and preprocessor_config.json as transformers writes and reads them (DFineConfig,
// RTDetrImageProcessor).
#include <cstdint>
#include <string>
#include <vector>

#include "classes/class_match.h"
#include "variants/model_spec.h"

namespace dfine::inline weights {

/// What the files beside the weights say about the model.
struct ModelDescription {
  ModelSpec spec;
  std::vector<std::string> class_names;  // [C], by label
  std::vector<int64_t> category_ids;     // [C], the dataset's own ids by label; empty if unknown
  int64_t image_height = 640, image_width = 640;  // pixels that an image is resized to
};

ClassList class_list(std::string owner, const ModelDescription& model);

/// Writes config.json (architecture, id2label, label2id, the category ids as `dfine_category_ids`)
/// and preprocessor_config.json into `folder`, so that transformers' DFineForObjectDetection and
/// AutoImageProcessor open it. class_names must have one entry per class.
void write_hf_config(const std::string& folder, const ModelDescription& description);

/// Reads both; preprocessor_config.json may be missing. Absent keys have transformers' defaults. An
/// Error names the file and the key: not JSON, wrong types, an architecture that is not D-FINE or
/// that this model cannot represent.
/// Without id2label, spec.num_classes is 0 and class_names empty.
ModelDescription read_hf_config(const std::string& folder);

/// Describes weights: a folder with config.json and model.safetensors, or a lone .safetensors or
/// .pth file. Of the latter, the tensors' shapes tell size and classes (300 queries, classes
/// without names), and an official file's anchors the image size. Throws Error if the classes of
/// config.json and of the tensors differ.
ModelDescription describe_weights(const std::string& path);

/// Where classes have no names: those of COCO or Objects365 for as many classes
/// (known_class_names()), and COCO's category ids.
void name_known_classes(ModelDescription& description);

/// n s m l x if the architecture is a published one (whatever the classes, queries and what is
/// frozen), else empty.
std::string architecture_size(const ModelSpec& spec);

}  // namespace dfine::inline weights
