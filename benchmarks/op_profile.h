#pragma once
// Where a step's time goes, by ATen operator.
#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dfine {

/// While it lives, it times every operator call on this thread, without the calls inside of it.
class OpProfile {
 public:
  OpProfile() {
    current = this;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&begin, &end)
            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  }
  ~OpProfile() {
    at::removeCallback(handle_);
    current = nullptr;
  }
  OpProfile(const OpProfile&) = delete;
  OpProfile& operator=(const OpProfile&) = delete;

  /// The `rows` operators with the most time, each as milliseconds and calls per step of `steps`.
  void print(size_t rows, double steps) const {
    std::vector<std::pair<std::string, Total>> sorted(totals_.begin(), totals_.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
    double sum = 0;
    for (const auto& [name, total] : sorted) sum += total.seconds;
    std::printf("%9s %6s %7s  operator\n", "ms/step", "share", "calls");
    for (size_t i = 0; i < std::min(rows, sorted.size()); ++i) {
      const auto& [name, total] = sorted[i];
      std::printf("%9.2f %5.1f%% %7.1f  %s\n", total.seconds / steps * 1000,
                  total.seconds / sum * 100, static_cast<double>(total.calls) / steps,
                  name.c_str());
    }
    std::printf("%9.2f %5.1f%%          all operators\n", sum / steps * 1000, 100.0);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Total {
    double seconds = 0;
    int64_t calls = 0;
  };
  struct Call : at::ObserverContext {
    Clock::time_point begin = Clock::now();
    double inside = 0;  // seconds of the calls in it
  };

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
    auto call = std::make_unique<Call>();
    if (current) current->open_.push_back(call.get());
    return call;
  }
  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    if (!current || current->open_.empty()) return;
    const auto& call = *static_cast<Call*>(context);
    const double whole = std::chrono::duration<double>(Clock::now() - call.begin).count();
    current->open_.pop_back();
    if (!current->open_.empty()) current->open_.back()->inside += whole;
    Total& total = current->totals_[function.name()];
    total.seconds += whole - call.inside;
    ++total.calls;
  }

  inline static thread_local OpProfile* current = nullptr;
  at::CallbackHandle handle_;
  std::map<std::string, Total> totals_;
  std::vector<Call*> open_;
};

}  // namespace dfine
