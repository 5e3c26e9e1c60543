// Text as pictures show it, whatever bytes labels consist of.
#include "apps/support/drawing.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "data/image.h"
#include "tests/support/folder.h"

namespace lamina::apps {
namespace {

constexpr double kWidth = 120.0;

bool is_well(const Drawing& drawing) {
  return cairo_status(drawing.context()) == CAIRO_STATUS_SUCCESS;
}

TEST(Drawing, LeavesShortTextAsItIs) {
  const Drawing drawing(10, 10);
  drawing.set_text_size(14.0);
  EXPECT_EQ(drawing.cut("Schäferhund", kWidth), "Schäferhund");
  EXPECT_EQ(drawing.wrapped("Bag", kWidth, 2), std::vector<std::string>{"Bag"});
  EXPECT_EQ(drawing.wrapped("", kWidth, 2), std::vector<std::string>{""});
}

TEST(Drawing, BreaksAtSpacesAndCutsTheLastLine) {
  const Drawing drawing(10, 10);
  drawing.set_text_size(14.0);
  const auto lines = drawing.wrapped("German short-haired pointer and other dogs", kWidth, 2);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(std::string("German short-haired pointer").starts_with(lines[0])) << lines[0];
  EXPECT_TRUE(lines[1].ends_with("...")) << lines[1];
  EXPECT_EQ(drawing.wrapped("German short-haired pointer and other dogs", 1e6, 2).size(), 1u);
}

TEST(Drawing, LinesOfAnyBytesFit) {
  const Drawing drawing(10, 10);
  drawing.set_text_size(14.0);
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    std::string words;
    for (std::size_t length = rng.below(80); words.size() < length;) {
      words += rng.below(5) == 0 ? ' ' : static_cast<char>(rng.below(256));
    }
    const auto lines = drawing.wrapped(words, kWidth, 2);
    EXPECT_GE(lines.size(), 1u);
    EXPECT_LE(lines.size(), 2u);
    for (const std::string& line : lines) {
      EXPECT_LE(drawing.width_of(line), kWidth) << line;
    }
    drawing.write(words, 0.0, 10.0);
    ASSERT_TRUE(is_well(drawing)) << i;
  }
}

// One bad string would stop all drawing with cairo.
TEST(Drawing, ReplacesWhatIsNoCharacter) {
  const Drawing drawing(10, 10);
  for (const std::string bytes :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xef\xbf\xbe",
        "\xf0\x80\x80\xaf", "\xfb\xbf\xbf\xbf\xbf"}) {
    EXPECT_EQ(drawing.cut('a' + bytes, 1e6).substr(0, 2), "a?");
    ASSERT_TRUE(is_well(drawing));
  }
  EXPECT_EQ(drawing.cut("\xf0\x9f\x91\x95", 1e6), "\xf0\x9f\x91\x95");
}

TEST(Drawing, SavesWhatWasDrawn) {
  const test::Folder folder;
  const Drawing drawing(3, 2);
  drawing.set_color({1.0, 0.0, 0.0});
  cairo_rectangle(drawing.context(), 1.0, 0.0, 1.0, 1.0);
  cairo_fill(drawing.context());
  drawing.save("test", folder / "a.png");
  const std::vector<std::uint8_t> want = {255, 255, 255, 255, 0,   0,   255, 255, 255,
                                          255, 255, 255, 255, 255, 255, 255, 255, 255};
  EXPECT_EQ(data::read_image(folder / "a.png").pixels, want);
}

}  // namespace
}  // namespace lamina::apps
