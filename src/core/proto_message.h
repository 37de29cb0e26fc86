#pragma once
// Protocol buffers' wire format (protobuf.dev/programming-guides/encoding), as far as ONNX and
// TensorBoard need it.
#include <cstdint>
#include <string>
#include <string_view>

namespace dfine {

/// The bytes of one message, field after field.
class ProtoMessage {
 public:
  /// int32, int64, bool and enum fields.
  void integer(int field, int64_t value);
  void number(int field, float value);
  void double_number(int field, double value);
  /// string and bytes fields.
  void text(int field, std::string_view value);
  void message(int field, const ProtoMessage& value) { text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

  /// One element of a packed list of doubles, which is a text().
  static std::string double_bytes(double value);

 private:
  void varint(uint64_t value);

  std::string bytes_;
};

}  // namespace dfine
