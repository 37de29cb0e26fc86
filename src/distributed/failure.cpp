#include "distributed/failure.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/abort_job.h"
#include "distributed/failure_reporter.h"
#include "distributed/mpi_session.h"

namespace dfine::inline distributed {

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
  } catch (const c10::OutOfMemoryError& e) {
    return other(ErrorCode::kOutOfMemory, e.what_without_backtrace());
  } catch (const c10::DistError& e) {
    return other(ErrorCode::kCommunicationFailed, e.what_without_backtrace());
  } catch (const c10::AcceleratorError& e) {
    constexpr int kNoMemory = 2;  // cudaErrorMemoryAllocation
    return other(e.get_error_code() == kNoMemory ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
                 e.what_without_backtrace());
  } catch (const c10::Error& e) {
    return other(ErrorCode::kInternal, e.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return other(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& e) {
    return other(ErrorCode::kInternal, e.what());
  } catch (...) {
    return other(ErrorCode::kInternal, "an exception of unknown type");
  }
}

int distributed_main(const std::function<int(MpiSession&)>& body) {
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
