#pragma once
#include <string>
#include <vector>

namespace dfine::inline config {

/// What other trainers call our keys and tables: Ultralytics, the official D-FINE and RT-DETR,
/// Hugging Face's Trainer, Detectron2, MMDetection, Lightning.
struct Synonym {
  const char* name;  // as plain_name (core/nearest.h), without its table
  const char* ours;  // a key, or a table as "[optim]"
};

const std::vector<Synonym>& key_synonyms();
/// What earlier versions called our keys: whole names, such as "data.on_bad".
const std::vector<Synonym>& renamed_keys();
const std::vector<Synonym>& table_synonyms();

}  // namespace dfine::inline config
