#pragma once
// The part of the page about detections.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "run_report/validated_set.h"

namespace dfine::inline run_report {

struct DetectionsOptions {
  std::filesystem::path predictions;
  size_t pictures = 100;  // of the worst images
  int threads = 0;        // 0: one for every core
};

struct DetectionsPage {
  nlohmann::ordered_json json;  // what the evaluator says, images, names of the columns
  std::string columns;          // of byte_columns.h
};

/// Throws Error where the predictions cannot be read, or are not of these images. An image that
/// cannot be decoded is named in json["problems"] and stays without a picture.
DetectionsPage detections_page(const ValidatedSet& set, const DetectionsOptions& options);

}  // namespace dfine::inline run_report
