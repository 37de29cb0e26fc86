#include "core/proto_message.h"

#include <bit>

namespace dfine {
namespace {

enum WireType : unsigned { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

uint64_t tag(int field, WireType type) {
  return static_cast<uint64_t>(field) << 3 | type;
}

}  // namespace

void ProtoMessage::varint(uint64_t value) {
  // Seven bits in each byte, the lowest first; the eighth says that more follow.
  while (value >= 0x80) {
    bytes_ += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes_ += static_cast<char>(value);
}

void ProtoMessage::integer(int field, int64_t value) {
  varint(tag(field, kVarint));
  varint(static_cast<uint64_t>(value));
}

void ProtoMessage::number(int field, float value) {
  varint(tag(field, kFixed32));
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
}

std::string ProtoMessage::double_bytes(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(bits >> shift);
  return bytes;
}

void ProtoMessage::double_number(int field, double value) {
  varint(tag(field, kFixed64));
  bytes_ += double_bytes(value);
}

void ProtoMessage::text(int field, std::string_view value) {
  varint(tag(field, kLengthDelimited));
  varint(value.size());
  bytes_ += value;
}

}  // namespace dfine
