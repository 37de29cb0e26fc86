#include "onnx_export/layouts.h"

#include <ATen/ATen.h>

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "model/postprocess.h"

namespace dfine::inline onnx_export {
namespace {

// Any image does, but in one of a single colour all queries would be alike.
Tensor some_images(int64_t batch, ImageSize size) {
  return at::rand({batch, 3, size.height, size.width});
}

BatchComputation hub(std::shared_ptr<DFine> model, ImageSize size) {
  return {.computation =
              [model = std::move(model)](const std::vector<Tensor>& in) -> std::vector<Tensor> {
            const HeadOutput found = model->forward(in[0]).prediction();
            return {found.logits, found.boxes};
          },
          .inputs = [size](int64_t batch) { return std::vector{some_images(batch, size)}; },
          .input_names = {"pixel_values"},
          .output_names = {"logits", "pred_boxes"}};
}

BatchComputation official(std::shared_ptr<DFine> model, ImageSize size) {
  return {.computation =
              [model = std::move(model)](const std::vector<Tensor>& in) -> std::vector<Tensor> {
            const DetectionBatch found =
                postprocess_batch(model->forward(in[0]).prediction(), in[1]);
            return {found.labels, found.boxes, found.scores};
          },
          .inputs =
              [size](int64_t batch) {
                return std::vector{some_images(batch, size), at::ones({batch, 2}, at::kLong)};
              },
          .input_names = {"images", "orig_target_sizes"},
          .output_names = {"labels", "boxes", "scores"}};
}

}  // namespace

Layout parse_layout(const std::string& name) {
  if (name == "hub") return Layout::kHub;
  if (name == "official") return Layout::kOfficial;
  throw UsageError(str_cat("--layout ", name, ": expected hub or official"));
}

std::string batch_name(Layout layout) {
  return layout == Layout::kHub ? "batch_size" : "N";
}

BatchComputation forward_pass(std::shared_ptr<DFine> model, Layout layout, ImageSize size) {
  return layout == Layout::kHub ? hub(std::move(model), size) : official(std::move(model), size);
}

}  // namespace dfine::inline onnx_export
