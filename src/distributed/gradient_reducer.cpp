#include "distributed/gradient_reducer.h"

#include <torch/headeronly/version.h>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/compressed_all_reduce.h"

// The constructor of c10d::Reducer is no public interface and differs between releases: this file
// alone calls it.
#if TORCH_VERSION_MAJOR != 2 || TORCH_VERSION_MINOR != 15
// The constructor's arguments are those of LibTorch 2.15.
#error "Compare the arguments of c10d::Reducer in reducer.hpp before allowing another version."
#endif

namespace dfine::inline distributed {
namespace {

// DistributedDataParallel's own sizes are the upper limits. The parameters defined first, whose
// gradients come last, share a small bucket: little is left to do after the backward pass.
constexpr int64_t kFirstBucketBytes = int64_t{1} << 20;
constexpr int64_t kBucketBytes = int64_t{25} << 20;

// At least this number of buckets. N's gradients, 15 MB, would otherwise wait in one bucket for the
// end of the backward pass.
constexpr int64_t kBuckets = 8;

int64_t bucket_bytes(const std::vector<Tensor>& parameters) {
  int64_t all = 0;
  for (const Tensor& parameter : parameters) all += static_cast<int64_t>(parameter.nbytes());
  return std::clamp(all / kBuckets, kFirstBucketBytes, kBucketBytes);
}

// The reducer warns that gradients of depthwise weights [C, 1, K, K] have other strides than its
// buckets. They differ in the dimension of size one, where any stride means the same.
class WithoutAdvice : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    if (warning.msg().find("Grad strides do not match bucket view strides") == std::string::npos)
      log::local_warn(warning.msg());
  }
};

using Buckets = std::vector<std::vector<size_t>>;  // indices of parameters

Buckets make_buckets(const std::vector<Tensor>& parameters) {
  auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
      parameters,
      {static_cast<size_t>(kFirstBucketBytes), static_cast<size_t>(bucket_bytes(parameters))},
      std::vector<bool>(parameters.size(), false));
  // Gradients become ready roughly in the reverse order of the parameters.
  std::reverse(buckets.begin(), buckets.end());
  return buckets;
}

std::shared_ptr<c10d::Reducer> make_reducer(const std::vector<Tensor>& parameters,
                                            const Communicator& group) {
  return std::make_shared<c10d::Reducer>(
      parameters, make_buckets(parameters), group.process_group(),
      std::vector<bool>(parameters.size(), false), bucket_bytes(parameters),
      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true,
      /*param_names=*/std::unordered_map<size_t, std::string>(), kFirstBucketBytes,
      /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
      /*bucket_bytes_cap_list=*/std::vector<int64_t>());
}

}  // namespace

struct GradientReducer::Impl {
  Impl(const std::vector<Tensor>& parameters, const Communicator& group,
       std::optional<at::ScalarType> sent_as)
      : reducer(make_reducer(parameters, group)), logger(std::make_shared<c10d::Logger>(reducer)) {
    reducer->set_logger(logger);
    // The reducer wants to form new buckets after the first step, in the order in which gradients
    // came. A resumed run would then sum its first step in other buckets than the run that went on.
    // So it forms them now, once and for all, and gets ours back.
    reducer->push_rebuilt_params_for_all_indices();
    reducer->rebuild_buckets();
    reducer->initialize_buckets(make_buckets(parameters));
    if (sent_as)
      reducer->register_comm_hook(std::make_unique<CompressedAllReduce>(group, *sent_as));
  }

  std::shared_ptr<c10d::Reducer> reducer;
  // Not for what it logs: the reducer's errors follow the pointer without a check.
  std::shared_ptr<c10d::Logger> logger;
};

GradientReducer::GradientReducer(const std::vector<Tensor>& parameters, const Communicator& group,
                                 std::optional<at::ScalarType> sent_as)
    : impl_(group.is_single() || parameters.empty()
                ? nullptr
                : std::make_unique<Impl>(parameters, group, sent_as)) {}

GradientReducer::~GradientReducer() = default;
GradientReducer::GradientReducer(GradientReducer&&) noexcept = default;
GradientReducer& GradientReducer::operator=(GradientReducer&&) noexcept = default;

void GradientReducer::backward(const Tensor& loss) {
  if (!impl_) return loss.backward();
  WithoutAdvice handler;
  const c10::WarningUtils::WarningHandlerGuard guard(&handler);
  impl_->reducer->prepare_for_forward();
  impl_->reducer->prepare_for_backward({});
  loss.backward();
  try {
    impl_->reducer->check_finalized();
  } catch (const c10::Error& e) {
    throw Error(ErrorCode::kInternal, str_cat("a trained parameter got no gradient on this rank: ",
                                              e.what_without_backtrace()));
  }
}

}  // namespace dfine::inline distributed
