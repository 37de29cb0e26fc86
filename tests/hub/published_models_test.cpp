#include "hub/published_models.h"

#include <gtest/gtest.h>

#include <set>

#include "hub/model_name.h"

namespace dfine {
namespace {

TEST(PublishedModels, NamesAreUniqueAndValid) {
  std::set<std::string> names;
  for (const PublishedModel& model : published_models()) {
    for (const char* name : {model.short_name, model.repository, model.older})
      EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(parse_model_name(model.repository)) << model.repository;
    EXPECT_TRUE(parse_model_name(model.older)) << model.older;
    EXPECT_EQ(model.short_name[6], model.size);
  }
}

TEST(PublishedModels, ShortNames) {
  for (const char* name : {"dfine-s-obj365", "dfine_s_obj365", "dfine-small-obj365"})
    EXPECT_STREQ(find_short_name(name)->repository, "ustc-community/dfine-small-obj365") << name;
  for (const char* name : {"dfine-l-obj2coco", "dfine_l_obj2coco_e25", "dfine-large-obj2coco-e25"})
    EXPECT_STREQ(find_short_name(name)->repository, "ustc-community/dfine-large-obj2coco-e25");
  EXPECT_STREQ(find_short_name("dfine-xlarge-coco")->repository,
               "ustc-community/dfine-xlarge-coco");
  EXPECT_EQ(find_short_name("dfine-n-obj365"), nullptr);
  EXPECT_EQ(similar_short_names("dfine-s-obj36").front(), "dfine-s-obj365");
  EXPECT_TRUE(similar_short_names("weights").empty());
}

TEST(PublishedModels, OlderNames) {
  EXPECT_STREQ(find_older_name("ustc-community/dfine_m_obj2coco")->repository,
               "ustc-community/dfine-medium-obj2coco");
  EXPECT_EQ(find_older_name("other/dfine_m_obj2coco"), nullptr);
}

}  // namespace
}  // namespace dfine
