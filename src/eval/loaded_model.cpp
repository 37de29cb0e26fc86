#include "eval/loaded_model.h"

#include <ATen/Context.h>

#include "classes/class_names.h"
#include "core/error.h"
#include "core/text.h"
#include "distributed/cuda_settings.h"
#include "model/staged_copy.h"
#include "weights/weights.h"

namespace dfine::inline eval {

const std::string& LoadedModel::class_name(int64_t label) const {
  return description.class_names.at(static_cast<size_t>(label));
}

bool LoadedModel::has_class_names() const {
  return names_classes(description.class_names);
}

at::Device parse_device(const std::string& name) {
  if (name != "cpu") require_fitting_driver();
  const bool has_cuda = at::globalContext().hasCUDA();
  if (name == "cpu" || (name == "auto" && !has_cuda)) return at::kCPU;
  if (name != "auto" && name != "cuda")
    throw UsageError(str_cat("--device ", name, ": expected auto, cpu or cuda"));
  if (!has_cuda)
    throw Error(ErrorCode::kDeviceUnavailable,
                "--device cuda: no GPU, or this program was built without CUDA",
                "use --device cpu, or build with the preset cuda");
  return {at::kCUDA, 0};
}

LoadedModel load_model(const std::string& path, at::Device device) {
  use_expandable_segments();
  set_tf32({});
  LoadedModel loaded{.model = nullptr, .description = describe_weights(path), .device = device};
  loaded.model = std::make_shared<DFine>(loaded.description.spec);
  load_weights(path, named_tensors(*loaded.model));
  move_to(*loaded.model, device);
  loaded.model->eval();
  return loaded;
}

}  // namespace dfine::inline eval
