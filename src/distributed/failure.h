#pragma once
// One rank's failure ends the whole job, at once and with one message.
#include <filesystem>
#include <functional>
#include <string_view>

#include <c10/util/Exception.h>

namespace dfine::inline distributed {

class MpiSession;

/// What main() does: joins the ranks, runs `body`, and returns its value as the exit code (the same
/// on all ranks).
///
/// A rank fails when an exception leaves `body`, at std::terminate, or at a fatal signal (SIGSEGV,
/// SIGBUS, SIGFPE, SIGILL, SIGABRT). The first one to fail prints what happened with its rank, host
/// and context, and ends all ranks through MPI. Those that fail after it, with the same error or
/// because of it, say nothing. The exit code is the error's (core/error.h), or 128 + signal.
int distributed_main(const std::function<int(MpiSession&)>& body);

/// Whether the device or the host had too little memory, as far as LibTorch says so.
bool is_out_of_memory(const c10::Error& error);

/// What this rank is doing now ("epoch 3, step 117"); printed with its failure. Cheap; any thread.
void set_failure_context(std::string_view where);

/// The run's log, which rank zero writes (core/log.h): the failure of any rank is appended, so that
/// its last lines say why the run ended. Where the file is not there (a run folder on another
/// host's own disk), nothing is written.
void set_failure_log(const std::filesystem::path& file);

}  // namespace dfine::inline distributed
