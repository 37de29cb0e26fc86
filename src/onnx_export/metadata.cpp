#include "onnx_export/metadata.h"

#include <nlohmann/json.hpp>

#include "dfine_version.h"

namespace dfine::inline onnx_export {

std::map<std::string, std::string> metadata(const ModelDescription& description,
                                            const std::optional<StoredThresholds>& thresholds,
                                            ImageSize size, const std::string& layout,
                                            const std::string& precision) {
  using nlohmann::json;
  // Names of any bytes: what is not UTF-8 is replaced.
  const auto text = [](const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  std::map<std::string, std::string> all{
      {"class_names", text(description.class_names)},
      {"image_size", text({size.height, size.width})},
      {"preprocessing", text({{"color", "RGB"},
                              {"layout", "NCHW"},
                              {"resize", "bilinear, antialiased, to image_size"},
                              {"keep_aspect_ratio", false},
                              {"range", {0, 1}},
                              {"mean", {0, 0, 0}},
                              {"std", {1, 1, 1}}})},
      {"dfine_layout", layout},
      {"dfine_precision", precision},
      {"dfine_version", DFINE_VERSION}};
  if (!description.category_ids.empty())
    all.emplace("category_ids", text(description.category_ids));
  if (thresholds)
    all.emplace("thresholds",
                text({{"overall", thresholds->overall}, {"classes", thresholds->classes}}));
  return all;
}

}  // namespace dfine::inline onnx_export
