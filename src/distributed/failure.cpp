#include "distributed/failure.h"

#include <c10/util/Exception.h>
#include <c10/util/Logging.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/abort_job.h"
#include "distributed/failure_reporter.h"
#include "distributed/mpi_session.h"

namespace dfine::inline distributed {

bool is_out_of_memory(const c10::Error& error) {
  constexpr int kNoMemory = 2;  // cudaErrorMemoryAllocation
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  if (const auto* cuda = dynamic_cast<const c10::AcceleratorError*>(&error))
    return cuda->get_error_code() == kNoMemory;
  // The CPU allocator has no exception type for it.
  return std::string_view(error.what_without_backtrace()).find("can't allocate memory") !=
         std::string_view::npos;
}

FailureText describe_failure(const std::exception_ptr& failure) {
  const std::string context = failure_context();
  const auto other = [&](ErrorCode code, const std::string& what) {
    return FailureText{code,
                       str_cat(with_code(what, code), context.empty() ? "" : "\n  in ", context)};
  };
  try {
    std::rethrow_exception(failure);
  } catch (const UsageError& e) {
    return {e.code(), e.what(), e.exit_code()};
  } catch (Error& e) {
    if (!context.empty()) e.add_context("in " + context);
    return {e.code(), e.what(), e.exit_code()};
  } catch (const c10::DistError& e) {
    return other(ErrorCode::kCommunicationFailed, e.what_without_backtrace());
  } catch (const c10::Error& e) {
    return other(is_out_of_memory(e) ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
                 e.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return other(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& e) {
    return other(ErrorCode::kInternal, e.what());
  } catch (...) {
    return other(ErrorCode::kInternal, "an exception of unknown type");
  }
}

int distributed_main(const std::function<int(MpiSession&)>& body) {
  // The store of the ranks warns with ten stack frames when one of them ends: after the message
  // that says why, or instead of one.
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_ERROR;
  std::unique_ptr<MpiSession> session;
  try {
    session = std::make_unique<MpiSession>();
  } catch (...) {
    const auto failure = describe_failure(std::current_exception());
    log::error(failure.text);
    return abort_job(failure.exit_code);
  }
  if (session->size() > 1) log::set_rank(session->rank());
  FailureReporter reporter(*session);
  try {
    return body(*session);
  } catch (...) {
    return reporter.fail(describe_failure(std::current_exception()));
  }
}

}  // namespace dfine::inline distributed
