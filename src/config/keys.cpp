#include "config/keys.h"

#include <array>
#include <charconv>

#include "config/kinds.h"
#include "core/text.h"

namespace dfine::inline config {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += str_cat('\\', c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::array<char, 17> kHex{"0123456789ABCDEF"};
      out += str_cat("\\u00", kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string shortest(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string out(buffer.data(), end);
  const size_t exponent = out.find('e');
  if (exponent != std::string::npos && out[exponent + 2] == '0')
    out.erase(exponent + 2, 1);  // 1e-4, as people write it
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

std::string to_toml(const ConfigValue& value) {
  struct Writer {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(int64_t x) const { return std::to_string(x); }
    std::string operator()(double x) const { return shortest(x); }
    std::string operator()(const std::string& x) const { return quoted(x); }
    std::string operator()(const std::vector<int64_t>& list) const {
      std::string out = "[";
      for (const int64_t x : list) out += str_cat(out.size() > 1 ? ", " : "", x);
      return out + "]";
    }
    std::string operator()(const std::vector<double>& list) const {
      std::string out = "[";
      for (const double x : list) out += str_cat(out.size() > 1 ? ", " : "", shortest(x));
      return out + "]";
    }
    std::string operator()(const std::vector<std::string>& list) const {
      std::string out = "[";
      for (const std::string& x : list) out += str_cat(out.size() > 1 ? ", " : "", quoted(x));
      return out + "]";
    }
  };
  return std::visit(Writer{}, value);
}

std::vector<ConfigKey> config_keys() {
  std::vector<ConfigKey> all;
  const auto add = [&]<class Part>(const char* name, Part Config::* part) {
    Table<Part> table(name, part, all);
    keys(table);
  };
  add("run", &Config::run);
  add("model", &Config::model);
  add("data", &Config::data);
  add("augment", &Config::augment);
  add("optim", &Config::optim);
  add("train", &Config::train);
  add("ema", &Config::ema);
  add("validate", &Config::validate);
  add("checkpoint", &Config::checkpoint);
  return all;
}

}  // namespace dfine::inline config
