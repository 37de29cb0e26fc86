#include "rank_main.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "dist/failure.h"

namespace dfine::test {
namespace {
Session* the_session = nullptr;
const Group* the_group = nullptr;
}  // namespace

Session& session() {
  return *the_session;
}
const Group& group() {
  return *the_group;
}

}  // namespace dfine::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  at::set_num_threads(1);
  return dfine::run_ranks([](dfine::Session& session) {
    const dfine::Group group = session.make_group(dfine::DeviceRequest::kCpu);
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
