#include "data/coco/json_number.h"

#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>

#include "core/text.h"

namespace dfine::inline coco {
namespace {

namespace json = simdjson::ondemand;

constexpr size_t kShown = 60;  // bytes of a value in a message

/// The value as it stands in the file; of a list or object the bracket alone.
std::string_view token_of(json::value value) {
  const std::string_view token = value.raw_json_token();
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

std::string shown(std::string_view token) {
  return token.size() <= kShown ? std::string(token) : str_cat(token.substr(0, kShown), "...");
}

bool is_beyond_double(std::string_view token) {
  double number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  return error == std::errc::result_out_of_range && end == token.data() + token.size();
}

std::string too_large_integer(std::string_view token) {
  using Limits = std::numeric_limits<int64_t>;
  const bool negative = token.starts_with('-');
  return str_cat("holds ", shown(token), ", which is too ", negative ? "small" : "large",
                 ": integers go ", negative ? "down to " : "up to ",
                 negative ? Limits::min() : Limits::max());
}

}  // namespace

std::string describe_json_mismatch(json::value value, const char* expected) {
  const std::string_view token = token_of(value);
  std::string what = shown(token);
  if (token.starts_with('"')) what = "the text " + what;
  if (token.starts_with('[')) what = "a list";
  if (token.starts_with('{')) what = "an object";
  return str_cat("holds ", what, ", not ", expected);
}

std::string why_no_json_number(json::value value) {
  const std::string_view token = token_of(value);
  if (token.starts_with("NaN")) return "holds NaN";
  if (token.starts_with("Inf") || token.starts_with("-Inf")) return "holds Infinity";
  if (is_beyond_double(token))
    return str_cat("holds ", shown(token), ", which is too large a number");
  return describe_json_mismatch(value, "a number");
}

std::optional<int64_t> read_other_json_integer(json::value value, std::string& problem) {
  const std::optional<double> number = read_json_number(value, problem);
  if (!number) return std::nullopt;
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double stands for several
  const std::string_view token = token_of(value);
  if (token.find_first_of(".eE") == std::string_view::npos) {
    problem = too_large_integer(token);
  } else if (*number != std::floor(*number)) {
    problem = str_cat("holds ", shown(token), ", not an integer");
  } else if (std::abs(*number) > kExact) {
    problem =
        str_cat("holds ", shown(token),
                ", which is too large for an integer with a fraction or an exponent. ",
                "Beyond 9007199254740992 digits may be lost; write all digits of the integer");
  } else {
    return static_cast<int64_t>(*number);
  }
  return std::nullopt;
}

}  // namespace dfine::inline coco
