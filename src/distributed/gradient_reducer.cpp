#include "distributed/gradient_reducer.h"

#include <torch/headeronly/version.h>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "core/log.h"

// The constructor of c10d::Reducer is no public interface and differs between releases: this file
// alone calls it.
#if TORCH_VERSION_MAJOR != 2 || TORCH_VERSION_MINOR != 15
#error \
    "c10d::Reducer's constructor is called as in LibTorch 2.15; compare its arguments in reducer.hpp before allowing another version."
#endif

namespace dfine::inline distributed {
namespace {

// DistributedDataParallel's own sizes. The parameters defined first, whose gradients come last,
// share a small bucket: little is left to do after the backward pass.
constexpr int64_t kFirstBucketBytes = int64_t{1} << 20;
constexpr int64_t kBucketBytes = int64_t{25} << 20;

// The reducer advises against looking for unused parameters in steps that have none. The model's
// own steps have none (DFine::forward sees to it), but backward() takes any loss. The reducer also
// warns that gradients of depthwise weights [C, 1, K, K] have other strides than its buckets. They
// differ in the dimension of size one, where any stride means the same.
class WithoutAdvice : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    for (const char* known :
         {"find_unused_parameters", "Grad strides do not match bucket view strides"}) {
      if (warning.msg().find(known) != std::string::npos) return;
    }
    log::local_warn(warning.msg());
  }
};

std::shared_ptr<c10d::Reducer> make_reducer(std::vector<Tensor> parameters,
                                            const Communicator& group) {
  const std::vector<bool> sparse(parameters.size(), false);
  auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
      parameters, {static_cast<size_t>(kFirstBucketBytes), static_cast<size_t>(kBucketBytes)},
      sparse);
  // Gradients become ready roughly in the reverse order of the parameters.
  std::reverse(buckets.begin(), buckets.end());
  return std::make_shared<c10d::Reducer>(
      std::move(parameters), std::move(buckets), group.gradient_process_group(), sparse,
      kBucketBytes,
      /*find_unused_parameters=*/true, /*gradient_as_bucket_view=*/true,
      /*param_names=*/std::unordered_map<size_t, std::string>(), kFirstBucketBytes,
      /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
      /*bucket_bytes_cap_list=*/std::vector<int64_t>());
}

}  // namespace

struct GradientReducer::Impl {
  Impl(std::vector<Tensor> parameters, const Communicator& group)
      : reducer(make_reducer(std::move(parameters), group)),
        logger(std::make_shared<c10d::Logger>(reducer)) {
    reducer->set_logger(logger);
  }

  std::shared_ptr<c10d::Reducer> reducer;
  // Not for what it logs: the reducer follows the pointer without a check when the set of unused
  // parameters changes.
  std::shared_ptr<c10d::Logger> logger;
};

GradientReducer::GradientReducer(std::vector<Tensor> parameters, const Communicator& group)
    : impl_(group.is_single() || parameters.empty()
                ? nullptr
                : std::make_unique<Impl>(std::move(parameters), group)) {}

GradientReducer::~GradientReducer() = default;
GradientReducer::GradientReducer(GradientReducer&&) noexcept = default;
GradientReducer& GradientReducer::operator=(GradientReducer&&) noexcept = default;

void GradientReducer::backward(const Tensor& loss) {
  if (!impl_) return loss.backward();
  WithoutAdvice handler;
  const c10::WarningUtils::WarningHandlerGuard guard(&handler);
  impl_->reducer->prepare_for_forward();
  impl_->reducer->prepare_for_backward({loss});
  loss.backward();
}

}  // namespace dfine::inline distributed
