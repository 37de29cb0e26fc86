#include "devices.h"

#include <cstdlib>

namespace null {
namespace {

long number(const char* variable, long otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atol(text) : otherwise;
}

}  // namespace

int device_count() {
  static const int n = static_cast<int>(number("NULLCUDA_DEVICES", 1));
  return n;
}

size_t device_memory() {
  static const auto bytes = static_cast<size_t>(number("NULLCUDA_MEMORY", 80L << 10)) << 20;
  return bytes;
}

int& current_device() {
  thread_local int device = 0;
  return device;
}

}  // namespace null
