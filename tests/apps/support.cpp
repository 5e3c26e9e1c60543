// The parts that programs are made of, each by itself.
#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <limits>
#include <stdexcept>
#include <thread>
#include <utility>

#include "apps/support/bar.h"
#include "apps/support/predictions.h"
#include "apps/support/prefetch.h"
#include "apps/support/progress.h"
#include "apps/support/terminal.h"
#include "apps/support/thumbnail.h"
#include "apps/support/timing.h"

namespace lamina::apps {
namespace {

TEST(Bar, FillsInEighthsOfAColumnInUnicode) {
  EXPECT_EQ(bar(0.0, 4, Charset::unicode), "    ");
  EXPECT_EQ(bar(1.0 / 32, 4, Charset::unicode), "▏   ");
  EXPECT_EQ(bar(0.5, 4, Charset::unicode), "██  ");
  EXPECT_EQ(bar(0.625, 4, Charset::unicode), "██▌ ");
  EXPECT_EQ(bar(1.0, 4, Charset::unicode), "████");
}

TEST(Bar, FillsWholeColumnsInAscii) {
  EXPECT_EQ(bar(0.0, 4, Charset::ascii), "    ");
  EXPECT_EQ(bar(0.6, 4, Charset::ascii), "##  ");
  EXPECT_EQ(bar(1.0, 4, Charset::ascii), "####");
}

TEST(Bar, ClampsWhatIsNoShare) {
  EXPECT_EQ(bar(-1.0, 2, Charset::ascii), "  ");
  EXPECT_EQ(bar(7.0, 2, Charset::ascii), "##");
  EXPECT_EQ(bar(std::numeric_limits<double>::quiet_NaN(), 2, Charset::unicode), "  ");
}

TEST(ProgressLine, TellsRateAndTimeLeft) {
  EXPECT_EQ(progress_line({0, 4, 0.0}, {}), "[                    ] 0/4");
  EXPECT_EQ(progress_line({1, 4, 0.5}, {}), "[#####               ] 1/4  2.0 images/s  2 s left");
  EXPECT_EQ(progress_line({1, 126, 1.0}, {}),
            "[                    ] 1/126  1.0 images/s  2 min 05 s left");
  EXPECT_EQ(progress_line({1, 3781, 1.0}, {}),
            "[                    ] 1/3781  1.0 images/s  1 h 03 min left");
}

TEST(Printable, ReplacesControlCharactersOnly) {
  EXPECT_EQ(printable("a\nb\x1b[2Jc\x7f"), "a?b?[2Jc?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m"),
            "?1m");
  EXPECT_EQ(printable("Schäferhund 犬"), "Schäferhund 犬");
}

TEST(Clip, CountsCharactersNotBytes) {
  EXPECT_EQ(clip("häß", 2), "hä");
  EXPECT_EQ(clip("häß", 3), "häß");
  EXPECT_EQ(clip("abc", 0), "");
}

TEST(Timing, SummaryHasMinimumAndMedian) {
  EXPECT_EQ(summary({{3.0, 1.0, 9.0}, {1.0, 1.0, 10.0}}),
            "ms             minimum    median\n"
            "decode            1.00      2.00\n"
            "preprocess        1.00      1.00\n"
            "network           9.00      9.50\n");
  EXPECT_EQ(as_text(PictureTimes{3.211, 1.1, 9.876}),
            "decode 3.21 ms, preprocess 1.10 ms, network 9.88 ms");
}

TEST(Predictions, ComeByLogitThenIndexAndNotNumbersLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor logits = Tensor::from({1, 4}, std::vector<float>{nan, 1.0f, 2.0f, 2.0f});
  const auto top = top_predictions(logits, {"a", "b", "c", "d"}, 9);
  ASSERT_EQ(top.size(), 4u);
  EXPECT_EQ(top[0].label, "c");
  EXPECT_EQ(top[1].label, "d");
  EXPECT_EQ(top[2].label, "b");
  EXPECT_EQ(top[3].label, "a");
}

TEST(Predictions, TableFitsItsTerminal) {
  const std::vector<Prediction> predictions = {{0, "sorrel\x1b", 0.75f, 2.0f},
                                               {1, "zebra", 0.25f, 1.0f}};
  EXPECT_EQ(as_table(predictions, {Charset::ascii, {}}),
            "   75.00%  ###############       sorrel?\n"
            "   25.00%  #####                 zebra\n");
  EXPECT_EQ(as_table(predictions, {Charset::unicode, 24}),
            "   75.00%  ████▌   sorre\n"
            "   25.00%  █▌      zebra\n");
}

TEST(Prefetch, KeepsTheOrderAndItsBounds) {
  std::atomic<int> made{0};
  std::atomic<int> most_ahead{0};
  std::atomic<int> taken{0};
  Prefetch<std::size_t> items({.count = 40, .ahead = 3}, [&](std::size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
    most_ahead = std::max(most_ahead.load(), ++made - taken);
    return i * i;
  });
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(items.next(), i * i);
    ++taken;
  }
  EXPECT_EQ(made, 40);
  EXPECT_LE(most_ahead, 4);  // three ahead, and the one just handed out
}

TEST(Prefetch, PassesExceptionsOnAndContinues) {
  Prefetch<int> items({.count = 2, .ahead = 2}, [](std::size_t i) {
    return i == 0 ? throw std::runtime_error("broken") : 5;
  });
  EXPECT_THROW(items.next(), std::runtime_error);
  EXPECT_EQ(items.next(), 5);
}

TEST(Thumbnail, RepeatsPixelsAWholeNumberOfTimes) {
  const data::Image small{1, 2, {1, 2, 3, 4, 5, 6}};
  const data::Image large = thumbnail(small, 5);
  EXPECT_EQ(large.height, 2u);
  EXPECT_EQ(large.width, 4u);
  const std::vector<std::uint8_t> row = {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6};
  std::vector<std::uint8_t> rows = row;
  rows.insert(rows.end(), row.begin(), row.end());
  EXPECT_EQ(large.pixels, rows);
  EXPECT_EQ(thumbnail(large, 4).pixels, large.pixels);
  EXPECT_EQ(thumbnail(large, 7).pixels, large.pixels);
}

TEST(Thumbnail, KeepsProportionsWhereItShrinks) {
  const auto side = [](std::size_t height, std::size_t width) {
    const data::Image small =
        thumbnail({height, width, std::vector<std::uint8_t>(height * width * 3, 77)}, 10);
    EXPECT_EQ(small.pixels, std::vector<std::uint8_t>(small.height * small.width * 3, 77));
    return std::pair(small.height, small.width);
  };
  EXPECT_EQ(side(20, 40), std::pair(std::size_t{5}, std::size_t{10}));
  EXPECT_EQ(side(11, 7), std::pair(std::size_t{10}, std::size_t{6}));
  EXPECT_EQ(side(1, 999), std::pair(std::size_t{1}, std::size_t{10}));
}

}  // namespace
}  // namespace lamina::apps
