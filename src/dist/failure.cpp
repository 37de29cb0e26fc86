#include "dist/failure.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "dist/abort_job.h"
#include "dist/failure_reporter.h"
#include "dist/session.h"

namespace dfine {

FailureText describe_failure(const std::exception_ptr& failure) {
  const std::string context = failure_context();
  const auto text = [&](const std::string& what) {
    return context.empty() ? what : cat(what, "\n  in ", context);
  };
  try {
    std::rethrow_exception(failure);
  } catch (const UsageError& e) {
    return {e.what(), kExitUsage};
  } catch (Error& e) {
    if (!context.empty()) e.add_context("in " + context);
    return {e.what(), kExitFailed};
  } catch (const c10::Error& e) {
    return {text(e.what_without_backtrace()), kExitFailed};
  } catch (const std::bad_alloc&) {
    return {text("out of memory"), kExitFailed};
  } catch (const std::exception& e) {
    return {text(e.what()), kExitFailed};
  } catch (...) {
    return {text("an exception of unknown type"), kExitFailed};
  }
}

int run_ranks(const std::function<int(Session&)>& body) {
  std::unique_ptr<Session> session;
  try {
    session = std::make_unique<Session>();
  } catch (...) {
    const auto failure = describe_failure(std::current_exception());
    log::error(failure.text);
    return abort_job(failure.exit_code);
  }
  if (session->size() > 1) log::set_prefix(cat("[rank ", session->rank(), "] "));
  FailureReporter reporter(*session);
  try {
    return body(*session);
  } catch (...) {
    return reporter.fail(describe_failure(std::current_exception()));
  }
}

}  // namespace dfine
