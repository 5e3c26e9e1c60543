// classify over real photos with real weights, against reference logits.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/apps/program.h"
#include "tests/support/folder.h"
#include "tests/support/npy.h"
#include "tests/support/shared_data.h"

namespace lamina::test {
namespace {

struct Photo {
  std::string file;
  std::size_t label, reference;
};

std::vector<Photo> read_table(const std::filesystem::path& path) {
  std::ifstream table(path);
  std::string line;
  std::getline(table, line);
  std::vector<Photo> photos;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::size_t index = 0;
    Photo photo{};
    fields >> index >> photo.file >> photo.label >> photo.reference;
    photos.push_back(photo);
  }
  return photos;
}

// The reference took photos as they are stored; classify turns them upright where EXIF says so,
// which concerns one of them.
std::string without_exif(std::string jpeg) {
  const std::string marker("Exif\0\0", 6);
  for (std::size_t at; (at = jpeg.find(marker)) != std::string::npos;) {
    jpeg[at] = '-';
  }
  return jpeg;
}

TEST(ClassifyPhotos, AgreesWithTheReferenceOnAHundredPhotos) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = shared_data() / "imagenet";
  const auto photos = read_table(folder / "photos100.tsv");
  const NpyArray logits = read_npy(folder / "photos100_logits_f16.npy");
  ASSERT_EQ(photos.size(), 100u);
  ASSERT_EQ(logits.shape, (std::vector<std::size_t>{100, 1000}));
  std::vector<std::string> arguments = {"--json", "--top", "1000", "--weights",
                                        folder / "mobilenet_v2_1.0_224_tf.safetensors"};
  const Folder copies;
  for (const Photo& photo : photos) {
    arguments.push_back(copies / photo.file);
    write_file(arguments.back(), without_exif(read_file(folder / "photos" / photo.file)));
  }
  const Result result = run({.arguments = arguments});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::size_t as_labelled = 0;
  double worst = 0.0;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const auto predictions = nlohmann::json::parse(line)["predictions"];
    ASSERT_EQ(predictions.size(), 1000u);
    EXPECT_EQ(predictions[0]["index"], photos[i].reference) << photos[i].file;
    as_labelled += predictions[0]["index"] == photos[i].label ? 1 : 0;
    for (const auto& prediction : predictions) {
      const double want = logits.values[i * 1000 + prediction["index"].get<std::size_t>()];
      worst = std::max(worst, std::abs(prediction["logit"].get<double>() - want));
    }
  }
  EXPECT_EQ(as_labelled, 91u);
  EXPECT_LE(worst, 0.02);
}

}  // namespace
}  // namespace lamina::test
