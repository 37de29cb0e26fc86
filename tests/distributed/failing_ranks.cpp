// A job of which rank 1 fails in the way that the argument names, while the other ranks wait for it
// in a collective.
#include <ATen/ATen.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "distributed/mpi_session.h"

using namespace dfine;

namespace {

void fail_as(const std::string& how, const Communicator& group) {
  if (how == "error") {
    const ErrorContext at("while reading image 17");
    throw Error(ErrorCode::kFileDamaged, "shard-00003.h5 ends early", "Copy it again.");
  }
  if (how == "exception") throw std::runtime_error("something else");
  if (how == "torch") at::zeros({2, 3}).matmul(at::zeros({2, 3}));
  if (how == "usage") throw UsageError("--config is missing");
  if (how == "pending") {
    // A failure while an operation of its own is under way: unwinding must not wait for it.
    std::vector<at::Tensor> tensors{at::ones({1 << 20})};
    auto work = group.process_group()->allreduce(tensors);
    throw Error(ErrorCode::kInternal, "failed with an operation under way");
  }
  if (how == "abort") std::abort();
  if (how == "segv") raise(SIGSEGV);
  if (how == "null") *static_cast<volatile int*>(nullptr) = 1;
  if (how == "kill") raise(SIGKILL);
  if (how == "thread")
    std::thread([] { throw Error(ErrorCode::kInternal, "failed in a thread"); }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const bool all = argc > 2 && std::string(argv[2]) == "all";
  const std::string run_log = argc > 3 ? argv[3] : "";
  return distributed_main([&](MpiSession& session) {
    const Communicator group = session.make_communicator(DeviceRequest::kCpu);
    set_failure_context("epoch 3, step 117");
    if (!run_log.empty()) {
      if (session.rank() == 0) log::add_file(run_log);
      if (session.rank() == 0) log::info("training");
      group.barrier();
      set_failure_log(run_log);
    }
    if (how == "digest") {
      // Bits of a sum whose last digits depend on the order of additions.
      at::Tensor sum = at::sin(at::arange(100000) * (1.7 + session.rank())) *
                       at::exp(at::arange(100000).remainder(11));
      group.all_reduce_sum(sum);
      const at::Tensor bits = sum.view(at::kInt).to(at::kLong);
      int64_t digest = 0;
      for (int64_t i = 0; i < bits.numel(); ++i)
        digest = digest * 31 % 1000000007 + bits.const_data_ptr<int64_t>()[i];
      std::cout << "digest " << digest << std::endl;
      return 0;
    }
    if (session.rank() == 1 || all || session.size() == 1) {
      std::cout << str_cat("failing at ", std::chrono::duration_cast<std::chrono::seconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count())
                << std::endl;
      fail_as(how, group);
    }
    at::Tensor tensor = at::ones({4});
    group.all_reduce_sum(tensor);
    return 0;
  });
}
