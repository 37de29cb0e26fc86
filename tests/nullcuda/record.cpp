#include "record.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "faults.h"

namespace null {
namespace {

using Amounts = std::map<std::string, std::map<std::string, long>>;
using Stack = std::vector<void*>;

struct Record {
  std::mutex mutex;
  std::vector<Call*> calls;
  Amounts amounts;
  std::map<std::pair<std::string, Stack>, long> places;
  std::vector<std::string> nccl;
};

/// Never destroyed: libraries call us from their own destructors.
Record& record() {
  static Record* all = new Record;
  return *all;
}

/// Addresses only: naming them takes milliseconds each, and is left to the end.
Stack stack_here() {
  constexpr int kOwnFrames = 3;
  void* frames[64];
  const int n = backtrace(frames, 64);
  return n > kOwnFrames ? Stack(frames + kOwnFrames, frames + n) : Stack();
}

std::string program() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return {path, n > 0 ? static_cast<size_t>(n) : 0};
}

/// "exe+0x12" for the program itself, which has no names to look up, else the function's symbol.
std::string name_of(void* address) {
  static const std::string exe = program();
  Dl_info info{};
  char* before_return = static_cast<char*>(address) - 1;
  if (dladdr(before_return, &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string file = info.dli_fname;
  const std::string base = file.substr(file.rfind('/') + 1);
  if (exe.size() >= base.size() && exe.substr(exe.size() - base.size()) == base) {
    char text[32];
    std::snprintf(text, sizeof text, "exe+0x%zx",
                  static_cast<size_t>(before_return - static_cast<char*>(info.dli_fbase)));
    return text;
  }
  return info.dli_sname != nullptr ? info.dli_sname : "";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + "\"";
}

class Json {
 public:
  explicit Json(const std::string& path) : file_(std::fopen(path.c_str(), "w")) {}
  ~Json() {
    if (file_ != nullptr) std::fclose(file_);
  }
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;

  bool is_open() const { return file_ != nullptr; }
  void text(const std::string& part) { std::fputs(part.c_str(), file_); }
  void item(const std::string& part) {
    text(first_ ? "\n" : ",\n");
    text(part);
    first_ = false;
  }
  void begin(const std::string& part) {
    text(part);
    first_ = true;
  }

 private:
  FILE* file_;
  bool first_ = true;
};

void write_report() {
  const char* wanted = std::getenv("NULLCUDA_REPORT");
  if (wanted == nullptr) return;
  Json json(rank() < 0 ? wanted : wanted + ("." + std::to_string(rank())));
  if (!json.is_open()) return;
  Record& r = record();
  const std::lock_guard<std::mutex> lock(r.mutex);
  json.begin("{\"calls\": {");
  for (const Call* call : r.calls)
    json.item(quoted(std::string(call->library) + "." + call->name) + ": " +
              std::to_string(call->count));
  json.begin("},\n\"amounts\": {");
  for (const auto& [group, amounts] : r.amounts) {
    std::string text;
    for (const auto& [what, n] : amounts)
      text += (text.empty() ? "" : ",\n  ") + quoted(what) + ": " + std::to_string(n);
    json.item(quoted(group) + ": {" + text + "}");
  }
  json.begin("},\n\"places\": [");
  for (const auto& [key, n] : r.places) {
    std::string stack;
    for (void* address : key.second) {
      const std::string name = name_of(address);
      if (!name.empty()) stack += (stack.empty() ? "" : ", ") + quoted(name);
    }
    json.item("{\"what\": " + quoted(key.first) + ", \"count\": " + std::to_string(n) +
              ", \"stack\": [" + stack + "]}");
  }
  json.begin("],\n\"nccl\": [");
  for (const std::string& call : r.nccl) json.item(quoted(call));
  json.text("]}\n");
}

const bool at_exit = std::atexit(write_report) == 0;

}  // namespace

Call::Call(const char* of, const char* called) : library(of), name(called) {
  const std::lock_guard<std::mutex> lock(record().mutex);
  record().calls.push_back(this);
}

int Call::enter() {
  const int error = fault(name, ++count);
  if (error != 0) count_with_place("errors", name);
  return error;
}

void count(const char* group, const std::string& what, long n) {
  const std::lock_guard<std::mutex> lock(record().mutex);
  record().amounts[group][what] += n;
}

void peak(const char* group, const std::string& what, long n) {
  const std::lock_guard<std::mutex> lock(record().mutex);
  long& highest = record().amounts[group][what];
  if (n > highest) highest = n;
}

void count_with_place(const char* group, const std::string& what) {
  Stack stack = stack_here();
  const std::lock_guard<std::mutex> lock(record().mutex);
  ++record().amounts[group][what];
  ++record().places[{std::string(group) + " " + what, std::move(stack)}];
}

void misuse(const std::string& what) {
  count_with_place("misuse", what);
}

void nccl_call(const std::string& what) {
  const std::lock_guard<std::mutex> lock(record().mutex);
  record().nccl.push_back(what);
}

void* token() {
  static std::atomic<uintptr_t> next{0x1000};
  return reinterpret_cast<void*>(next += 64);
}

int rank() {
  const char* text = std::getenv("OMPI_COMM_WORLD_RANK");
  return text != nullptr ? std::atoi(text) : -1;
}

}  // namespace null
