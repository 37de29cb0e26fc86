#include "rank_main.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "distributed/failure.h"

namespace dfine::test {
namespace {
MpiSession* the_session = nullptr;
const Communicator* the_group = nullptr;
}  // namespace

MpiSession& session() {
  return *the_session;
}
const Communicator& group() {
  return *the_group;
}

}  // namespace dfine::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  at::set_num_threads(1);
  return dfine::distributed_main([](dfine::MpiSession& session) {
    const dfine::Communicator group = session.make_communicator(dfine::DeviceRequest::kCpu);
    dfine::test::the_session = &session;
    dfine::test::the_group = &group;
    GTEST_FLAG_SET(throw_on_failure, true);
    GTEST_FLAG_SET(catch_exceptions, false);
    if (session.rank() > 0) {
      auto& listeners = testing::UnitTest::GetInstance()->listeners();
      delete listeners.Release(listeners.default_result_printer());
    }
    return RUN_ALL_TESTS();
  });
}
