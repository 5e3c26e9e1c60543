#include <algorithm>
#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <type_traits>

#include "core/checksum.h"
#include "core/parallel.h"
#include "nn/isa.h"
#include "nn/kernels.h"
#include "nn/plan.h"
#include "nn/plan/encode.h"
#include "nn/plan/fields.h"
#include "nn/plan/step_memory.h"
#include "nn/plan/steps.h"
#include "nn/plan/validate.h"
#include "tests/nn/every_operation.h"
#include "tests/support/expect_error.h"
#include "tests/support/fenced.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

// Files that are no plans, or plans that lie. The layout of the header: magic 8, versions 4 + 4,
// checksum 8, bytes 8, bytes of the steps 8, instruction set 16.
namespace lamina {
namespace {

constexpr std::size_t kChecksum = 16;
constexpr std::size_t kHashed = 24;
constexpr std::size_t kSteps = 56;
constexpr std::size_t kPage = 4096;

template <class Number>
Number number_at(const std::string& bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

template <class Number>
void set(std::string& bytes, std::size_t at, Number number) {
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

// As if written that way.
void sign(std::string& bytes) {
  set(bytes, kChecksum, checksum(std::as_bytes(std::span(bytes)).subspan(kHashed)));
}

// Numbers that are next to right, beyond every limit, or overflow when multiplied.
std::array<std::uint64_t, 11> lies_for(std::uint64_t truth) {
  constexpr std::uint64_t kOne = 1;
  return {0,          1,          truth - 1,  truth + 1,  truth + 16,       2 * truth,
          kOne << 20, kOne << 30, kOne << 32, kOne << 62, ~std::uint64_t{0}};
}

class HostilePlan : public testing::Test {
 protected:
  HostilePlan() {
    test::EveryOperation net(nn::PaddingMode::symmetric);
    test::randomize(net);
    nn::compile(nn::trace(net, {1, 20, 17, 3}), {.fusion = nn::Fusion::always}).save(path_);
    bytes_ = test::read_file(path_);
  }

  void load(const std::string& bytes) {
    test::write_file(path_, bytes);
    nn::load_plan(path_);
  }

  void expect_refused(const std::string& bytes, const std::string& why) {
    test::expect_error([&] { load(bytes); }, text("load_plan: ", path_.string(), ": ", why));
  }

  std::size_t steps_end() const { return kSteps + number_at<std::uint64_t>(bytes_, 32); }

  test::Folder folder_;
  std::filesystem::path path_ = folder_ / "net.plan";
  std::string bytes_;
};

TEST_F(HostilePlan, EveryAlteredByteIsSeen) {
  for (std::size_t i = 0; i < bytes_.size(); i += i < 2 * kSteps ? 1 : 61) {
    for (const int bit : {0, 7}) {
      std::string altered = bytes_;
      altered[i] = static_cast<char>(altered[i] ^ (1 << bit));
      EXPECT_THROW(load(altered), Error) << "byte " << i;
    }
  }
}

TEST_F(HostilePlan, EveryOtherLengthIsSeen) {
  for (std::size_t size = 0; size < bytes_.size(); size += size < 2 * kSteps ? 1 : 61) {
    EXPECT_THROW(load(bytes_.substr(0, size)), Error) << size << " bytes";
  }
  expect_refused(bytes_.substr(0, bytes_.size() - 1),
                 text("must be whole: it was written with ", bytes_.size(), " bytes, it has ",
                      bytes_.size() - 1, ": the file is damaged: save it again"));
  EXPECT_THROW(load(bytes_ + '\0'), Error);
}

TEST_F(HostilePlan, SaysWhichVersionItHas) {
  std::string other = bytes_;
  set(other, 8, std::uint32_t{9});
  expect_refused(other,
                 "must be of this library's version: it is of 9.1, the library reads 1.1: save it "
                 "again with this library");
}

TEST_F(HostilePlan, SaysWhichInstructionSetItIsFor) {
  std::string names;
  for (const std::string& name : nn::available_isas()) {
    names += (names.empty() ? "" : ", ") + name;
  }
  std::string other = bytes_;
  std::memcpy(other.data() + 40, "avx9\0\0\0\0\0", 9);
  sign(other);
  expect_refused(
      other, "must be for an instruction set of this CPU: it is for 'avx9', available: " + names +
                 ": save it again on this machine");
}

TEST_F(HostilePlan, DoesNotPrintANameThatIsNone) {
  std::string other = bytes_;
  std::memcpy(other.data() + 40, "\x1b[31m\0", 6);
  sign(other);
  expect_refused(other,
                 "the instruction set's name must be of small letters and digits: the file is "
                 "damaged: save it again");
}

TEST_F(HostilePlan, SaysThatItsChecksumIsAnothers) {
  std::string other = bytes_;
  set(other, kChecksum, std::uint64_t{0x1234});
  const std::uint64_t sum = checksum(std::as_bytes(std::span(bytes_)).subspan(kHashed));
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(sum));
  expect_refused(other,
                 text("checksum must be that of the bytes: it says 0000000000001234, they have ",
                      digits.data(), ": the file is damaged: save it again"));
}

TEST_F(HostilePlan, NoCountOrLengthIsTrusted) {
  std::size_t refused = 0;
  const std::size_t first_step = kSteps + 8 * 9;  // two shapes, the arena, the number of steps
  for (std::size_t at = kHashed; at < first_step + 16; ++at) {
    for (const std::uint64_t number : lies_for(number_at<std::uint64_t>(bytes_, at))) {
      std::string bytes = bytes_;
      set(bytes, at, number);
      sign(bytes);
      try {
        load(bytes);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 500u);
}

// One lie each, in a program as read from a file.
class HostileStep : public HostilePlan {
 protected:
  HostileStep() {
    const auto bytes = std::as_bytes(std::span(bytes_));
    nn::decode(bytes.subspan(kSteps, steps_end() - kSteps), "plan", program_);
    const std::size_t offset = (steps_end() + kPage - 1) / kPage * kPage;
    program_.kernels = &nn::active_kernels();
    program_.weight_floats = (bytes.size() - offset) / sizeof(float);
    weights_ = Tensor::uninitialized({program_.weight_floats});
    std::memcpy(weights_.data(), bytes.data() + offset, bytes.size() - offset);
    program_.weights = {std::shared_ptr<void>(), weights_.data()};
    nn::validate(program_, "plan");
  }

  nn::Step& step(nn::Step::Kind kind) {
    return *std::ranges::find(program_.steps, kind, &nn::Step::kind);
  }

  void expect_refused(const std::string& why) {
    test::expect_error([&] { nn::validate(program_, "plan"); }, "plan: " + why);
  }

  nn::Program program_;
  Tensor weights_;
};

struct ForIsa : testing::WithParamInterface<std::string> {
  test::ScopedIsa scoped{GetParam()};
};
struct HostileNumber : ForIsa, HostileStep {};

// Runs every step in arrays that are no larger than the program says.
void run_exactly(const nn::Program& program) {
  const test::Fenced x(nn::per_image(program.traced_input), 0.5f);
  const test::Fenced y(nn::per_image(program.traced_output), 0.0f);
  const test::Fenced arena(program.arena, 0.0f);
  const test::Fenced scratch(program.scratch, 0.0f);
  for (const nn::Step& step : program.steps) {
    const std::size_t parts = nn::part_count(program, step, 3);
    for (std::size_t part = 0; part < parts; ++part) {
      nn::run_part(program, step, {x.data(), y.data(), arena.data()}, part, parts, scratch.data());
    }
  }
}

// Any number may be anything: the program is refused, or it runs and stays in its memory.
TEST_P(HostileNumber, DoesNotMakeARunLeaveItsMemory) {
  std::size_t refused = 0;
  std::size_t ran = 0;
  const auto lie = [&](auto& field) {
    using Field = std::remove_reference_t<decltype(field)>;
    if constexpr (!std::is_floating_point_v<Field>) {
      const Field truth = field;
      for (const std::uint64_t number : lies_for(static_cast<std::uint64_t>(truth))) {
        field = static_cast<Field>(number);
        try {
          nn::validate(program_, "plan");
          if (program_.arena + program_.scratch < (1u << 24)) {
            run_exactly(program_);
            ++ran;
          }
        } catch (const Error&) {
          ++refused;
        }
      }
      field = truth;
    }
  };
  for (nn::Step& step : program_.steps) {
    nn::for_each_field(step, lie);
  }
  lie(program_.arena);
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(ran, 100u);
}

INSTANTIATE_TEST_SUITE_P(Isas, HostileNumber, testing::ValuesIn(nn::available_isas()),
                         [](const auto& isa) { return isa.param; });

TEST_F(HostileStep, OutsideOfTheArena) {
  const std::size_t end = program_.arena;
  program_.steps[1].x.offset = end;
  expect_refused(
      text("step 1: the input must lie inside of its memory: 720 floats from ", end, " of ", end));
}

TEST_F(HostileStep, OutsideOfTheWeights) {
  const std::size_t end = program_.weight_floats / 16 * 16;
  program_.steps[0].taps_bias = end;
  expect_refused(text("step 0: weights must lie inside of its memory: 12 floats from ", end, " of ",
                      program_.weight_floats));
}

TEST_F(HostileStep, OverWhatItReads) {
  program_.steps[1].x = program_.steps[1].y;
  program_.arena += 1000;
  EXPECT_THROW(nn::validate(program_, "plan"), Error);
}

TEST_F(HostileStep, OfNoKind) {
  program_.steps[2].kind = static_cast<nn::Step::Kind>(9);
  expect_refused("step 2: the kind must be from 0 to 8: got 9");
}

TEST_F(HostileStep, WithAPanelTooWide) {
  program_.steps[0].matrix.panel = 1000;
  expect_refused(text("step 0: a matrix's panel must be from 1 to ", program_.kernels->max_panel,
                      ": got 1000"));
}

TEST_F(HostileStep, WithAWindowThatIsNot3x3) {
  program_.steps[0].window.kernel_w = 4;
  expect_refused(
      "step 0: the depthwise convolution must be 3x3: its window is 3 x 4, stride 1, padding 1");
}

TEST_F(HostileStep, WithoutItsSecondInput) {
  step(nn::Step::Kind::add).residual = {};
  EXPECT_THROW(nn::validate(program_, "plan"), Error);
}

TEST_F(HostileStep, WithBoundsThatAreNoNumbers) {
  program_.steps[0].bounds.lo = std::numeric_limits<float>::quiet_NaN();
  expect_refused("step 0: bounds must be in order: lo is nan, hi is inf");
}

TEST_F(HostileStep, ThatLeavesTheOutputUnwritten) {
  program_.steps.pop_back();
  EXPECT_THROW(nn::validate(program_, "plan"), Error);
  program_.steps.clear();
  expect_refused("there must be steps: got none");
}

}  // namespace
}  // namespace lamina
