#include "faults.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "record.h"

namespace null {
namespace {

struct Fault {
  std::string function;
  long first;
  bool and_later;
  int error;
};

[[noreturn]] void refuse(const std::string& text) {
  std::fprintf(stderr, "null device: cannot read %s\n", text.c_str());
  std::_Exit(3);
}

std::vector<Fault> wanted() {
  std::vector<Fault> faults;
  const char* all = std::getenv("NULLCUDA_FAIL");
  std::istringstream list(all != nullptr ? all : "");
  for (std::string one; std::getline(list, one, ',');) {
    char function[128], plus[2] = "";
    long first = 0;
    int error = 0, on_rank = -1;
    if (std::sscanf(one.c_str(), "%127[^:]:%ld%1[+]:%d@%d", function, &first, plus, &error,
                    &on_rank) < 4 &&
        std::sscanf(one.c_str(), "%127[^:]:%ld:%d@%d", function, &first, &error, &on_rank) < 3) {
      refuse(one);
    }
    if (on_rank < 0 || on_rank == rank())
      faults.push_back({function, first, plus[0] == '+', error});
  }
  return faults;
}

struct NanCopy {
  size_t bytes = 0;
  long first = 0;
  std::atomic<long> seen{0};

  NanCopy() {
    const char* text = std::getenv("NULLCUDA_NAN");
    if (text != nullptr && std::sscanf(text, "%zu:%ld", &bytes, &first) != 2) refuse(text);
  }
};

}  // namespace

int fault(const char* function, long count) {
  static const auto& faults = *new std::vector<Fault>(wanted());
  for (const Fault& one : faults) {
    if (one.function == function && (one.and_later ? count >= one.first : count == one.first))
      return one.error;
  }
  return 0;
}

bool copy_becomes_nan(size_t bytes) {
  static NanCopy& wanted_copy = *new NanCopy;
  return wanted_copy.bytes == bytes && ++wanted_copy.seen == wanted_copy.first;
}

}  // namespace null
