#include "gpu_main.h"

#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include <optional>

#include "core/text.h"
#include "distributed/failure.h"
#include "distributed/gpu.h"
#include "distributed/mpi_session.h"

namespace dfine::test {
namespace {

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt

std::optional<Communicator> the_group;
std::string skip_reason;

Communicator group_of_one() {
  const at::Device device(at::kCUDA, 0);
  use_device(device);
  const c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::HashStore>();
  return {make_nccl_group(store, "ranks", 0, 1, device), /*host=*/nullptr, device};
}

}  // namespace

const Communicator& group() {
  return *the_group;
}

void Gpu::SetUp() {
  if (!skip_reason.empty()) GTEST_SKIP() << skip_reason;
}

}  // namespace dfine::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return dfine::distributed_main([](dfine::MpiSession& session) {
    using namespace dfine::test;
    const auto gpus = static_cast<int>(dfine::visible_gpus().uuids.size());
    if (gpus == 0) {
      skip_reason = "no GPU is visible here";
    } else if (gpus < session.local_size()) {
      skip_reason = dfine::str_cat(session.local_size(), " ranks, but ", gpus, " GPU");
    } else {
      the_group = session.size() > 1 ? session.make_communicator(dfine::DeviceRequest::kCuda)
                                     : group_of_one();
    }
    GTEST_FLAG_SET(throw_on_failure, true);
    GTEST_FLAG_SET(catch_exceptions, false);
    const int code = RUN_ALL_TESTS();
    the_group.reset();
    return code == 0 && !skip_reason.empty() ? kSkipped : code;
  });
}
