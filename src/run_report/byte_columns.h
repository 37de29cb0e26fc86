#pragma once
// Columns of whole numbers as compressed text within a page; web/columns.js reads them.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace dfine::inline run_report {

class ByteColumns {
 public:
  /// Adds a column, of 1, 2 or 4 bytes for each value as the greatest one needs.
  void add(const std::string& name, std::span<const uint32_t> values);

  /// [[name, bytes, values], ...], in the order of the data.
  const nlohmann::ordered_json& list() const { return list_; }
  /// Base64 of a zlib stream (RFC 1950). In it each column has the lowest bytes of all its values,
  /// then the next ones: equal bytes stand together and compress well.
  std::string text() const;

 private:
  nlohmann::ordered_json list_ = nlohmann::ordered_json::array();
  std::vector<uint8_t> bytes_;
};

}  // namespace dfine::inline run_report
