#include "core/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "support/raises.h"

namespace dfine {
namespace {

using Bytes = std::vector<uint8_t>;

void expect_both(const Bytes& bytes, uint32_t expected) {
  EXPECT_EQ(crc32c(bytes), expected);
  EXPECT_EQ(crc32c_portable(bytes), expected);
}

// RFC 3720, appendix B.4 "CRC Examples" (the RFC prints the bytes in wire order, least significant
// first).
TEST(Crc32c, Rfc3720Vectors) {
  expect_both(Bytes(32, 0x00), 0x8A9136AA);
  expect_both(Bytes(32, 0xFF), 0x62A8AB43);
  Bytes rising(32);
  std::iota(rising.begin(), rising.end(), uint8_t{0});
  expect_both(rising, 0x46DD794E);
  expect_both(Bytes(rising.rbegin(), rising.rend()), 0x113FDB5C);
  Bytes read_command(48, 0);  // "An iSCSI - SCSI Read (10) Command PDU"
  read_command[0] = 0x01, read_command[1] = 0xC0, read_command[16] = 0x14, read_command[22] = 0x04,
  read_command[27] = 0x14;
  read_command[31] = 0x18, read_command[32] = 0x28, read_command[40] = 0x02;
  expect_both(read_command, 0xD9963A56);
}

// The check value of CRC-32/ISCSI in the catalogue of parametrised CRC algorithms (reveng).
TEST(Crc32c, CatalogueCheckValue) {
  const std::string digits = "123456789";
  expect_both(Bytes(digits.begin(), digits.end()), 0xE3069283);
}

TEST(Crc32c, EmptyIsZeroAndPartsChain) {
  expect_both({}, 0);
  CounterRandom random(1, Stream::kTest, 0);
  Bytes bytes(1000);
  for (auto& b : bytes) b = static_cast<uint8_t>(random.below(256));
  for (size_t cut = 0; cut <= 40; ++cut) {  // every alignment of the eight-byte steps
    const std::span<const uint8_t> all(bytes);
    const uint32_t whole = crc32c_portable(all.subspan(cut));
    EXPECT_EQ(crc32c(all.subspan(cut)), whole);
    EXPECT_EQ(crc32c(all.subspan(500), crc32c(all.subspan(cut, 500 - cut))), whole);
    EXPECT_EQ(crc32c_portable(all.subspan(500), crc32c_portable(all.subspan(cut, 500 - cut))),
              whole);
  }
}

TEST(Crc32c, OfATextsBytes) {
  EXPECT_EQ(crc32c(std::string_view("123456789")), 0xE3069283);
  EXPECT_EQ(crc32c(std::string_view()), 0U);
}

TEST(ChecksumText, EightDigitsAndBack) {
  EXPECT_EQ(checksum_text(0xE3069283), "e3069283");
  EXPECT_EQ(checksum_text(0), "00000000");
  EXPECT_EQ(checksum_text(0x1F), "0000001f");
  for (const uint32_t value : {0U, 1U, 0x1FU, 0xE3069283U, 0xFFFFFFFFU})
    EXPECT_EQ(checksum_from_text(checksum_text(value)), value);
}

TEST(ChecksumText, OtherTextsAreRefused) {
  for (const char* text : {"", "1", "1234567", "123456789", "1234567g", "0x123456", "+1234567",
                           "-1234567", " 1234567", "1234567 "})
    EXPECT_TRUE(raises(
        ErrorCode::kFileDamaged, [&] { checksum_from_text(text); }, "'" + std::string(text) + "'"))
        << text;
}

}  // namespace
}  // namespace dfine
