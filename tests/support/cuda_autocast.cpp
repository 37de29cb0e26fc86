// Gives autocast on the CPU the lists of operations that it has on CUDA. They say which operations
// run in half precision, in single, and in the widest type of their inputs. They differ from the
// CPU's, for example in softmax and layer norm. The lists are PyTorch's own (ATen/autocast_mode.h).
//
// A library without functions, for our tests to link and for torch.ops.load_library().
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace {

// The macros name the library m and are written for this namespace.
using namespace at::autocast;

void use_cuda_lists(torch::Library& m) {
#define DFINE_KERNEL(...) KERNEL(c10::DeviceType::CPU, __VA_ARGS__)
#define DFINE_HALF(...) DFINE_KERNEL(__VA_ARGS__, lower_precision_fp)
#define DFINE_SINGLE(...) DFINE_KERNEL(__VA_ARGS__, fp32)
#define DFINE_SINGLE_SUM(...) DFINE_KERNEL(__VA_ARGS__, fp32_set_opt_dtype)
#define DFINE_WIDEST(...) DFINE_KERNEL(__VA_ARGS__, promote)
  AT_FORALL_LOWER_PRECISION_FP(DFINE_HALF)
  AT_FORALL_FP32(DFINE_SINGLE)
  AT_FORALL_FP32_SET_OPT_DTYPE(DFINE_SINGLE_SUM)
  AT_FORALL_PROMOTE(DFINE_WIDEST)
}

/// Operations of the CPU's lists: those that CUDA's lack run in their inputs' types then.
void drop_cpu_lists(torch::Library& m) {
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const auto& name :
       dispatcher.getRegistrationsForDispatchKey(c10::DispatchKey::AutocastCPU)) {
    if (name.name.starts_with("aten::"))
      m.impl(c10::toString(name).c_str(), torch::CppFunction::makeFallthrough());
  }
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, AutocastCPU, m) {
  drop_cpu_lists(m);
  use_cuda_lists(m);
}
