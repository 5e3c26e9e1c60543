#include "data/labels.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "tests/support/shared_data.h"

namespace lamina::test {
namespace {

TEST(Labels, ImageNet) {
  const std::vector<std::string>& labels = data::imagenet_labels();
  ASSERT_EQ(labels.size(), 1000u);
  EXPECT_EQ(labels[0], "tench, Tinca tinca");
  EXPECT_EQ(labels[281], "tabby, tabby cat");
  EXPECT_EQ(labels[999], "toilet tissue, toilet paper, bathroom tissue");
  EXPECT_EQ(std::set<std::string>(labels.begin(), labels.end()).size(), 999u)
      << "only crane is the name of two";
}

TEST(Labels, DefaultFollowsTheNumberOfClasses) {
  EXPECT_EQ(data::default_labels(1000), data::imagenet_labels());
  const std::vector<std::string> with_background = data::default_labels(1001);
  ASSERT_EQ(with_background.size(), 1001u);
  EXPECT_EQ(with_background[0], "background");
  EXPECT_EQ(with_background[1], "tench, Tinca tinca");
  EXPECT_EQ(data::default_labels(3), (std::vector<std::string>{"class 0", "class 1", "class 2"}));
  EXPECT_TRUE(data::default_labels(0).empty());
}

TEST(Labels, EqualTheReferenceLineByLine) {
  LAMINA_NEEDS_SHARED_DATA();
  std::ifstream file(shared_data() / "imagenet/imagenet_classes_1000.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  EXPECT_EQ(data::imagenet_labels(), lines);
}

}  // namespace
}  // namespace lamina::test
