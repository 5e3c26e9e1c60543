// classify --sheet: where everything is, and what is not replaced.
#include <algorithm>

#include "tests/apps/dataset_fixture.h"

namespace lamina::test {
namespace {

using Json = nlohmann::json;

struct Rgb {
  int r, g, b;
  bool operator==(const Rgb&) const = default;
};

Rgb at(const data::Image& image, std::size_t x, std::size_t y) {
  const std::uint8_t* pixel = image.pixels.data() + (y * image.width + x) * 3;
  return {pixel[0], pixel[1], pixel[2]};
}

constexpr std::size_t kLeft = 28, kTop = 72, kCell = 168, kGap = 20;
constexpr Rgb kRed{204, 17, 25}, kGray{204, 204, 212}, kWhite{255, 255, 255};

class ClassifySheet : public ClassifyDatasets {
 protected:
  void SetUp() override {
    if (!LAMINA_HAS_CAIRO) {
      GTEST_SKIP() << "built without cairo";
    }
  }

  std::string sheet() const { return path("sheet.png"); }

  void expect_refused(std::vector<std::string> arguments, const std::string& message) const {
    const Result result = classify(std::move(arguments));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "classify: --sheet: " + message + "\n");
  }
};

TEST_F(ClassifySheet, EnlargesEveryPixelToASquare) {
  const std::string folder = idx(half_right(answers(5)));
  const Result result = classify({"--sheet", sheet(), folder});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "classify: " + sheet() + ": saved: 5 pictures\n");
  EXPECT_EQ(result.out.substr(0, result.out.rfind(',')),
            classify({folder}).out.substr(0, result.out.rfind(',')));
  const data::Image drawn = data::read_image(sheet());
  EXPECT_EQ(drawn.width, 4 * kCell + 3 * kGap + 2 * kLeft);
  const std::string pixels = gray(1);
  const std::size_t left = kLeft + kCell + kGap;
  std::size_t different = 0;
  // The cross covers a corner.
  for (std::size_t y = 12; y < kCell; ++y) {
    for (std::size_t x = 0; x < kCell - 12; ++x) {
      const int value = static_cast<std::uint8_t>(pixels[y / 6 * kSide + x / 6]);
      different += at(drawn, left + x, kTop + y) == Rgb{value, value, value} ? 0 : 1;
    }
  }
  EXPECT_EQ(different, 0u);
}

TEST_F(ClassifySheet, FramesAndCrossesWhatIsWrong) {
  const std::string folder = idx(half_right(answers(2)));
  ASSERT_EQ(classify({"--sheet", sheet(), folder}).exit_code, 0);
  const data::Image drawn = data::read_image(sheet());
  const std::size_t middle = kTop + kCell / 2;
  EXPECT_EQ(at(drawn, kLeft - 1, middle), kGray);
  EXPECT_EQ(at(drawn, kLeft - 2, middle), kWhite);
  EXPECT_EQ(at(drawn, kLeft + kCell, kTop - 8), kWhite);
  const std::size_t wrong = kLeft + kCell + kGap;
  for (const std::size_t x : {wrong - 1, wrong - 4, wrong + kCell, wrong + kCell + 3}) {
    EXPECT_EQ(at(drawn, x, middle), kRed) << x;
  }
  EXPECT_EQ(at(drawn, wrong + kCell, kTop - 8), kRed);
  EXPECT_EQ(at(drawn, wrong + kCell, kTop), kWhite);  // where the cross's arms meet
}

TEST_F(ClassifySheet, ShowsFilesToo) {
  const data::Image photo = random_picture(336, 672, 5);
  data::write_png(path("photo.png"), photo);
  const Result result =
      classify({"--sheet", sheet(), path("photo.png"), path("none.png"), gray_png(0)});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.err.ends_with("classify: " + sheet() +
                                   ": saved: 2 of 3 pictures\n"
                                   "classify: 1 of 3 pictures could not be read\n"))
      << result.err;
  const data::Image drawn = data::read_image(sheet());
  // 672 x 336 pixels become 168 x 84, squares of 8 pixels become 2: the squares' colors last.
  const Rgb paper = at(drawn, kLeft + 1, kTop + 41);
  EXPECT_EQ(paper, at(drawn, kLeft + 166, kTop + 127));
  double distance = 0.0;
  for (std::size_t y = 0; y < 84; ++y) {
    for (std::size_t x = 0; x < 168; ++x) {
      distance +=
          std::abs(at(drawn, kLeft + x, kTop + 42 + y).g - at(photo, 4 * x + 2, 4 * y + 2).g);
    }
  }
  EXPECT_LT(distance / (84 * 168), 25.0);
}

TEST_F(ClassifySheet, HoldsTwoHundredPictures) {
  const std::string folder = idx(std::vector<std::size_t>(203, 5));
  const Result result = classify({"--sheet", sheet(), folder});
  EXPECT_EQ(result.err, "classify: " + sheet() + ": saved: 200 of 203 pictures\n");
  const data::Image drawn = data::read_image(sheet());
  EXPECT_EQ(drawn.width, 16 * kCell + 15 * kGap + 2 * kLeft);
  EXPECT_GT(drawn.height, 13 * kCell);
  EXPECT_LT(drawn.height, 13 * (kCell + 120));
}

TEST_F(ClassifySheet, LongLabelsStayInTheirColumn) {
  std::string label;
  while (label.size() < 3000) {
    label += "extraordinarily ";
  }
  rename({label, std::string(500, 'W'), "\xef\xbf\xbe", "d", "e", "f", "g", "h", "i", "j"});
  std::vector<std::size_t> labels(6);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = i % 3;
  }
  ASSERT_EQ(classify({"--sheet", sheet(), idx(labels)}).err,
            "classify: " + sheet() + ": saved: 6 pictures\n");
  const data::Image drawn = data::read_image(sheet());
  // Between the columns, below the frames: no ink.
  for (std::size_t column = 1; column < 4 && kLeft + column * (kCell + kGap) < drawn.width;
       ++column) {
    for (std::size_t y = kTop + kCell + 5; y < kTop + kCell + 80; ++y) {
      for (std::size_t x = 2; x < kGap - 2; ++x) {
        ASSERT_EQ(at(drawn, kLeft + column * (kCell + kGap) - kGap + x, y), kWhite)
            << x << ' ' << y;
      }
    }
  }
}

TEST_F(ClassifySheet, IsTheSameEveryTime) {
  const std::string folder = idx(half_right(answers(7)));
  ASSERT_EQ(classify({"--sheet", sheet(), "--threads", "1", folder}).exit_code, 0);
  const std::string bytes = read_file(sheet());
  ASSERT_EQ(classify({"--sheet", sheet(), "--threads", "3", folder}).exit_code, 0);
  EXPECT_TRUE(read_file(sheet()) == bytes);
}

TEST_F(ClassifySheet, IsNotMadeOfNothing) {
  const Result result = classify({"--sheet", sheet(), path("none.png")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(sheet()));
  expect_refused({"--sheet", sheet(), "--save-plan", path("net.plan")},
                 "shows pictures: there is no IMAGE");
}

TEST_F(ClassifySheet, ReplacesSheetsButNothingElse) {
  const std::string kept = ": it will not be replaced";
  const std::string picture = png("a.png");
  const std::string bytes = read_file(picture);
  expect_refused({"--sheet", picture, picture}, picture + ": is one of the pictures" + kept);
  expect_refused({"--sheet", picture, folder_.path()}, picture + ": is one of the pictures" + kept);
  EXPECT_TRUE(read_file(picture) == bytes);
  const std::string notes = file("notes.png", "Dear diary");
  expect_refused({"--sheet", notes, picture}, notes + ": is not a PNG" + kept);
  expect_refused({"--sheet", path("a.jpg"), picture},
                 path("a.jpg") + ": must end in .png: a PNG is written");
  expect_refused({"--sheet", sheet(), "--save-plan", sheet(), picture},
                 sheet() + ": is the plan" + kept);
  std::filesystem::create_hard_link(weights(), path("w.png"));
  expect_refused({"--sheet", path("w.png"), picture}, path("w.png") + ": is the weights" + kept);
  ASSERT_EQ(classify({"--sheet", sheet(), picture}).exit_code, 0);
  EXPECT_EQ(classify({"--sheet", sheet(), picture}).exit_code, 0);
}

TEST_F(ClassifySheet, SaysAtOnceThatItCannotBeWritten) {
  const Result result = classify({"--sheet", path("none/sheet.png"), png("a.png")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "classify: sheet: " + path("none/sheet.png") +
                            ": cannot be written: its folder " + path("none") +
                            ": No such file or directory\n");
}

TEST_F(Classify, NeedsCairoForASheet) {
  if (LAMINA_HAS_CAIRO) {
    GTEST_SKIP() << "built with cairo";
  }
  const Result result = classify({"--sheet", path("sheet.png"), png("a.png")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "classify: --sheet: needs cairo: classify was built without it\n");
}

}  // namespace
}  // namespace lamina::test
