// Against the examples of protobuf.dev/programming-guides/encoding.
#include "core/proto_message.h"

#include <gtest/gtest.h>

#include <string>

namespace dfine {
namespace {

TEST(ProtoMessage, IntegersAreVarints) {
  ProtoMessage message;
  message.integer(1, 150);
  EXPECT_EQ(message.bytes(), std::string("\x08\x96\x01"));
}

TEST(ProtoMessage, NegativeIntegersTakeTenBytes) {
  ProtoMessage message;
  message.integer(1, -2);
  EXPECT_EQ(message.bytes(), "\x08\xfe" + std::string(8, '\xff') + "\x01");
}

TEST(ProtoMessage, TextsAndMessagesHaveALength) {
  ProtoMessage text, inner, outer;
  text.text(2, "testing");
  EXPECT_EQ(text.bytes(), "\x12\x07testing");
  inner.integer(1, 150);
  outer.message(3, inner);
  EXPECT_EQ(outer.bytes(), std::string("\x1a\x03\x08\x96\x01"));
}

TEST(ProtoMessage, FieldsAboveFifteenTakeTwoBytes) {
  ProtoMessage message;
  message.integer(20, 1);
  EXPECT_EQ(message.bytes(), std::string("\xa0\x01\x01"));
}

TEST(ProtoMessage, NumbersAreLittleEndian) {
  ProtoMessage message;
  message.number(2, -2.5f);  // 0xc0200000
  EXPECT_EQ(message.bytes(), std::string("\x15\x00\x00\x20\xc0", 5));
}

}  // namespace
}  // namespace dfine
