#pragma once
// Numbers of JSON files that users give: annotations and results. What is wrong with one is worded
// the same wherever it stands.
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

namespace dfine::inline coco {

/// Does the value read `null`? Optional values that do count as absent.
inline bool is_json_null(simdjson::ondemand::value value) {
  return value.raw_json_token().starts_with("null");
}

/// Why the value is no number that a double holds, to say after the key: "holds null, not a
/// number".
std::string why_no_json_number(simdjson::ondemand::value value);

/// The integer of a value that is not written as an integer of 64 bits with sign; see below.
std::optional<int64_t> read_other_json_integer(simdjson::ondemand::value value,
                                               std::string& problem);

/// The finite number. Where it is none: nothing, and in `problem` what to say after the key.
inline std::optional<double> read_json_number(simdjson::ondemand::value value,
                                              std::string& problem) {
  double number = 0;
  if (value.get_double().get(number) == simdjson::SUCCESS && std::isfinite(number)) return number;
  problem = why_no_json_number(value);
  return std::nullopt;
}

/// The integer, also one written as 17.0 or 1.7e1. A number with a fraction or an exponent is
/// refused beyond 2^53. Whoever wrote it as a double may have lost digits of it, and two ids could
/// become one. Integers beyond 64 bits are refused too.
inline std::optional<int64_t> read_json_integer(simdjson::ondemand::value value,
                                                std::string& problem) {
  int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) return integer;
  return read_other_json_integer(value, problem);
}

/// What the value is where it should have been `expected` ("a string", "a list"), after the key:
/// "holds null, not a list".
std::string describe_json_mismatch(simdjson::ondemand::value value, const char* expected);

}  // namespace dfine::inline coco
