#include "eval/loaded_model.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <charconv>
#include <optional>

#include "classes/class_names.h"
#include "core/error.h"
#include "core/text.h"
#include "distributed/cuda_settings.h"
#include "distributed/gpu.h"
#include "model/staged_copy.h"
#include "weights/weights.h"

namespace dfine::inline eval {
namespace {

/// Digits alone.
std::optional<int> whole_number(const std::string& text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (text.empty() || rest != end || failed != std::errc() || number < 0 || number > 127)
    return std::nullopt;
  return number;
}

}  // namespace

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
  std::optional<int> index = 0;
  if (name.starts_with("cuda:")) index = whole_number(name.substr(5));
  if (!index || (name != "auto" && name != "cuda" && !name.starts_with("cuda:")))
    throw UsageError(str_cat("--device ", name, ": expected auto, cpu, cuda or cuda:N"));
  if (!has_cuda)
    throw Error(ErrorCode::kDeviceUnavailable,
                str_cat("--device ", name, ": no GPU, or this program was built without CUDA"),
                "use --device cpu, or build with the preset cuda");
  const auto count = static_cast<int>(at::detail::getCUDAHooks().deviceCount());
  if (*index >= count)
    throw Error(ErrorCode::kDeviceUnavailable,
                str_cat("--device ", name, ": there ", count == 1 ? "is " : "are ",
                        counted(count, "GPU"), ", counted from 0"));
  const at::Device device(at::kCUDA, static_cast<at::DeviceIndex>(*index));
  use_device(device);
  return device;
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
