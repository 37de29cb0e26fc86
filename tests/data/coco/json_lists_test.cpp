#include "data/coco/json_lists.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "data/id_index.h"

namespace dfine {
namespace {

constexpr std::array<std::string_view, 2> kNames{"a", "b"};

struct Cut {
  std::array<std::vector<std::string>, 2> pieces;
  std::array<size_t, 2> records{};
};

Cut cut(const std::string& text, size_t piece_bytes) {
  Cut result;
  cut_json_lists(text, kNames, piece_bytes, [&](const JsonPiece& piece) {
    EXPECT_EQ(text.substr(piece.offset, piece.text.size()), piece.text);
    result.pieces[piece.list].emplace_back(piece.text);
    result.records[piece.list] = piece.first_record;
  });
  return result;
}

JsonFault fault(const std::string& text) {
  try {
    cut(text, 1);
  } catch (const JsonFault& found) {
    return found;
  }
  ADD_FAILURE() << "no fault in " << text;
  return {};
}

TEST(JsonLists, CutsAtRecordsWhateverStringsHold) {
  const std::string text =
      R"( {"x": [{"a": [1]}, "]}"], "a" : [ {"k": "}]\"{"} ,{"k": [[1, {"m": "\\"}], 2]}, )"
      R"({} ],"y": -1.5e3, "b":[], "z": null} )";
  const Cut small = cut(text, 1);
  EXPECT_EQ(small.pieces[0], (std::vector<std::string>{R"({"k": "}]\"{"})",
                                                       R"({"k": [[1, {"m": "\\"}], 2]})", "{}"}));
  EXPECT_EQ(small.records[0], 2U);
  EXPECT_TRUE(small.pieces[1].empty());
  EXPECT_EQ(cut(text, 1000).pieces[0].size(), 1U);
  EXPECT_EQ(cut("\xEF\xBB\xBF" + text, 1).pieces[0], small.pieces[0]) << "a byte order mark";
  EXPECT_EQ(cut(R"({"\u0061": [{}], "b": [{}, {}]})", 1).pieces[0].size(), 1U) << "an escaped key";
}

TEST(JsonLists, SaysWhatIsWrongAndWhere) {
  const auto expect = [](const std::string& text, const std::string& what, uint64_t offset,
                         bool broken) {
    const JsonFault found = fault(text);
    EXPECT_NE(found.what.find(what), std::string::npos) << found.what;
    EXPECT_EQ(found.offset, offset) << text;
    EXPECT_EQ(found.broken, broken) << text;
  };
  expect("[]", "not a JSON object", 0, false);
  expect(R"({"a": [], "b": [], "a": []})", "\"a\" twice", 24, false);
  expect(R"({"a": []})", "no list \"b\"", 0, false);
  expect(R"({"a": 3, "b": []})", "\"a\" that is not a list", 6, false);
  expect(R"({"a": [{}, 3], "b": []})", "a[1] that is not an object", 11, false);
  expect(R"({"a": [{},], "b": []})", "record is missing", 10, true);
  expect(R"({"a": [{} {}], "b": []})", "',' is missing", 10, true);
  expect(R"({"a": [], "b": []} x)", "text after its end", 19, true);
  expect(R"({"a": [], "b": [{"k": "}]}})", "left open", 27, true);
  expect("{\"a\": [], \"b\": [], \"x\": \"\xff\"}", "UTF-8", 27, true);
}

TEST(IdIndex, AgreesWithAMap) {
  std::mt19937_64 random(1);
  for (const int64_t step : {int64_t{1}, int64_t{3}, int64_t{1} << 32, int64_t{-7}}) {
    IdIndex index(1000);
    for (size_t i = 0; i < 1000; ++i)
      EXPECT_EQ(index.insert(static_cast<int64_t>(i) * step, i), IdIndex::kNone);
    for (size_t i = 0; i < 1000; ++i) {
      EXPECT_EQ(index.find(static_cast<int64_t>(i) * step), i);
      EXPECT_EQ(index.insert(static_cast<int64_t>(i) * step, 5), i)
          << "an id keeps its first index";
    }
    for (int k = 0; k < 100; ++k)
      EXPECT_EQ(index.find(static_cast<int64_t>(random() | 1) * 2 + (1LL << 62)), IdIndex::kNone);
  }
  EXPECT_EQ(IdIndex(0).find(0), IdIndex::kNone);
}

}  // namespace
}  // namespace dfine
