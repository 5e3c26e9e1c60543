// What classify says and returns when something is wrong: whole messages.
#include "core/error.h"
#include "nn/isa.h"
#include "tests/apps/classify_fixture.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

// Expects nothing on standard output.
void expect_failure(const Result& result, int exit_code, const std::string& message) {
  EXPECT_EQ(result.exit_code, exit_code);
  EXPECT_EQ(result.err, "classify: " + message + "\n");
  EXPECT_EQ(result.out, "");
}

TEST_F(Classify, NeedsAPicture) {
  expect_failure(classify({}), 2, "IMAGE is required (see classify --help)");
}

TEST_F(Classify, NeedsWeights) {
  expect_failure(run({.arguments = {png("a.png")}}), 2,
                 "weights: none given: pass --weights FILE, or set LAMINA_WEIGHTS, to a "
                 "MobileNetV2's weights: .pth, .safetensors, .tflite or .onnx");
}

TEST_F(Classify, RefusesUnknownOptions) {
  expect_failure(classify({"--tpo", "3", png("a.png")}), 2,
                 "The following argument was not expected: --tpo (see classify --help)");
}

TEST_F(Classify, RefusesToListNoClasses) {
  const std::string picture = png("a.png");
  for (const std::string value : {"0", "-1", "many", "3.5", "99999999999999999999"}) {
    expect_failure(classify({"--top", value, picture}), 2,
                   "--top: must be a whole number from 1 to 1000000: got '" + value +
                       "' (see classify --help)");
  }
}

TEST_F(Classify, RefusesImpossibleThreadCounts) {
  const std::string picture = png("a.png");
  for (const std::string value : {"0", "1025", "two"}) {
    expect_failure(classify({"--threads", value, picture}), 2,
                   "--threads: must be a whole number from 1 to 1024: got '" + value +
                       "' (see classify --help)");
  }
  expect_failure(
      run({.arguments = with_weights({picture}), .environment = {{"LAMINA_THREADS", "none"}}}), 2,
      "LAMINA_THREADS: must be a number from 1 to 1024: got 'none'");
}

TEST_F(Classify, ListsTheInstructionSets) {
  std::string available;
  for (const std::string& isa : nn::available_isas()) {
    available += (available.empty() ? "" : ", ") + isa;
  }
  const std::string picture = png("a.png");
  const std::string rule =
      ": must be one of the instruction sets this CPU can run: got 'mmx', available: " + available;
  expect_failure(classify({"--isa", "mmx", picture}), 2, "isa" + rule);
  expect_failure(
      run({.arguments = with_weights({picture}), .environment = {{"LAMINA_ISA", "mmx"}}}), 2,
      "LAMINA_ISA" + rule);
}

TEST_F(Classify, RefusesCorruptWeights) {
  const std::string picture = png("a.png");
  const std::string weights = file("broken.safetensors", "nonsense");
  expect_failure(
      run({.arguments = {"--weights", weights, picture}}), 1,
      "safetensors: " + weights +
          ": is not a safetensors file: its header would have 7310308002159816558 bytes, "
          "the most is 100000000");
}

TEST_F(Classify, RefusesMissingWeights) {
  const std::string picture = png("a.png");
  const std::string weights = path("none.safetensors");
  expect_failure(run({.arguments = {"--weights", weights, picture}}), 1,
                 "checkpoint: " + weights + ": cannot be opened: No such file or directory");
}

TEST_F(Classify, ReportsAMissingFile) {
  expect_failure(
      classify({path("none.png")}), 1,
      "read_image: " + path("none.png") + ": cannot be opened: No such file or directory");
}

TEST_F(Classify, ReportsAnEmptyFile) {
  expect_failure(classify({file("empty.png", "")}), 1,
                 "decode_image: " + path("empty.png") + ": is empty");
}

TEST_F(Classify, ReportsWhatIsNoPicture) {
  expect_failure(classify({file("notes.png", "Dear diary")}), 1,
                 "decode_image: " + path("notes.png") +
                     ": is neither a PNG nor a JPEG: begins with 44 65 61 72");
}

TEST_F(Classify, ReportsATruncatedPng) {
  const std::string whole = read_file(png("a.png"));
  const std::size_t half = whole.size() / 2;
  expect_failure(classify({file("cut.png", whole.substr(0, half))}), 1,
                 text("decode_image: ", path("cut.png"), ": the PNG is truncated: it ends after ",
                      half, " bytes"));
}

TEST_F(Classify, ReportsACorruptPng) {
  std::string bytes = read_file(png("a.png"));
  constexpr std::size_t kLastChunk = 12;
  bytes[bytes.size() - kLastChunk - 1] ^= 1;  // the checksum of the pixels
  expect_failure(classify({file("bad.png", bytes)}), 1,
                 "decode_image: " + path("bad.png") + ": the PNG is corrupt: IDAT: CRC error");
}

TEST_F(Classify, ReportsATruncatedJpeg) {
  const std::string whole = jpeg(random_picture(48, 64, 1));
  const std::size_t part = whole.size() * 3 / 4;
  expect_failure(classify({file("cut.jpg", whole.substr(0, part))}), 1,
                 text("decode_image: ", path("cut.jpg"), ": the JPEG is truncated: it ends after ",
                      part, " bytes"));
}

TEST_F(Classify, ReportsACorruptJpeg) {
  std::string bytes = jpeg(random_picture(48, 64, 1));
  bytes.replace(bytes.size() * 3 / 4, 2, "\xff\xd9");  // the end, too early
  expect_failure(classify({file("bad.jpg", bytes)}), 1,
                 "decode_image: " + path("bad.jpg") +
                     ": the JPEG is corrupt: Corrupt JPEG data: premature end of data segment");
}

TEST_F(Classify, ReportsAPngOfFourGigapixels) {
  const Bytes header = png_signature() + png_header({.height = 60000, .width = 60000});
  expect_failure(classify({file("huge.png", {header.begin(), header.end()})}), 1,
                 "decode_image: " + path("huge.png") +
                     ": must have at most 100000000 pixels: has 60000 x 60000");
}

TEST_F(Classify, ReportsADirectoryWithoutPictures) {
  std::filesystem::create_directory(path("empty"));
  expect_failure(classify({path("empty")}), 1,
                 path("empty") + ": no pictures (.png, .jpg, .jpeg) in this directory");
}

TEST_F(Classify, ReportsBadStandardInput) {
  expect_failure(
      run({.arguments = with_weights({"-"}), .input = "Dear diary"}), 1,
      "decode_image: standard input: is neither a PNG nor a JPEG: begins with 44 65 61 72");
  expect_failure(classify({"-"}), 1, "decode_image: standard input: is empty");
}

TEST_F(Classify, TakesStandardInputOnce) {
  expect_failure(classify({"-", "-"}), 2,
                 "IMAGE: '-' may be given once: standard input holds one picture");
}

TEST_F(Classify, GoesOnAfterBadPictures) {
  std::filesystem::create_directory(path("empty"));
  const Result result = classify({"--json", path("empty"), png("a.png"), path("none.png"),
                                  png("b.png"), file("empty.jpg", "")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2);
  EXPECT_EQ(result.err, text("classify: ", path("empty"),
                             ": no pictures (.png, .jpg, .jpeg) in this directory\n"
                             "classify: read_image: ",
                             path("none.png"),
                             ": cannot be opened: No such file or directory\n"
                             "classify: decode_image: ",
                             path("empty.jpg"),
                             ": is empty\n"
                             "classify: 2 of 4 pictures could not be read\n"));
}

TEST_F(Classify, ReportsAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) {
    GTEST_SKIP() << "no /dev/full";
  }
  expect_failure(run({.arguments = with_weights({png("a.png")}), .output_file = "/dev/full"}), 1,
                 "standard output: cannot be written: No space left on device");
}

TEST_F(Classify, StopsQuietlyWhenNobodyReads) {
  std::string command = "'" LAMINA_CLASSIFY "' --weights '" + weights() + "'";
  for (unsigned i = 0; i < 10; ++i) {
    command += text(" '", png(i), "'");
  }
  const Result result =
      run({.arguments = {"-c", "( " + command + "; echo $? >&2 ) | true"}, .program = "/bin/sh"});
  EXPECT_EQ(result.err, "0\n");
}

}  // namespace
}  // namespace lamina::test
