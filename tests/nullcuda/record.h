#pragma once
// What happened on the null device: calls, amounts, places where the host waited, NCCL calls in
// order. Written as JSON at exit to the file in NULLCUDA_REPORT; ".RANK" is added under mpirun.
#include <atomic>
#include <string>

namespace null {

/// An error to answer with, whatever the library calls its errors.
struct Answer {
  int code;
  template <class E>
  operator E() const {  // NOLINT: the conversion is what it is for
    return static_cast<E>(code);
  }
};

/// One function of a library; static where it is defined.
class Call {
 public:
  Call(const char* library, const char* name);
  /// Counts. Returns 0, or the error that NULLCUDA_FAIL asks for (faults.h).
  int enter();

  const char* const library;
  const char* const name;
  std::atomic<long> count{0};
};

/// Adds `n` to the amount `what` of `group`.
void count(const char* group, const std::string& what, long n = 1);

/// Raises the amount `what` of `group` to `n`.
void peak(const char* group, const std::string& what, long n);

/// Counts `what` of `group`, and from where it was called.
void count_with_place(const char* group, const std::string& what);

/// A use that a real device would refuse, or that would go wrong there sooner or later.
void misuse(const std::string& what);

/// One NCCL call. All communicators share one sequence.
void nccl_call(const std::string& what);

/// A new value that is not null, for handles that nobody looks into.
void* token();

/// The rank of this process under mpirun, else -1.
int rank();

}  // namespace null

/// First line of each function: counts it, and answers with an error where one is asked for.
#define NULL_CALL(library, function)                             \
  static null::Call null_call(library, #function);               \
  if (const int error = null_call.enter()) return null::Answer { \
      error                                                      \
    }
