#include <gtest/gtest.h>

#include "models/checkpoint/torch/pickle.h"
#include "tests/models/torch/samples.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

using models::torch::Kind;
using models::torch::Pickle;
using test::pickle_of;

void expect_refused(const std::string& pickle, const std::string& message) {
  const std::vector<std::uint8_t> bytes = test::bytes_of(pickle);
  test::expect_error([&] { Pickle(bytes, "bad: "); }, "bad: " + message);
}

const std::string kSafe =
    ", which is never run; load the file where you trust it and save its tensors: "
    "torch.save(model.state_dict(), path)";

TEST(HostilePickle, EveryTruncationIsRefused) {
  using namespace test::pickled;
  const std::string whole =
      pickle_of(dict({string("a"), tensor(storage("FloatStorage", "0", 1), 0, {1}, {1}),
                      string("b"), list({real(1.5), kNone})}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> cut = test::bytes_of(whole.substr(0, size));
    EXPECT_THROW(Pickle(cut, ""), Error) << size;
  }
}

TEST(HostilePickle, GlobalsOutsideOfTheList) {
  using namespace test::pickled;
  expect_refused(pickle_of(call(global("os", "system"), {string("true")})),
                 "globals must be those of state dicts: byte 2 names \"os.system\"" + kSafe);
  expect_refused(pickle_of(call(global("builtins", "eval"), {string("1")})),
                 "globals must be those of state dicts: byte 2 names \"builtins.eval\"" + kSafe);
  expect_refused(pickle_of(global("torch", "load")),
                 "globals must be those of state dicts: byte 2 names \"torch.load\"" + kSafe);
  expect_refused(pickle_of(global("torch", "")),
                 "globals must be those of state dicts: byte 2 names \"torch.\"" + kSafe);
  expect_refused("\x80\x04\x8c\5posix\x8c\6system\x93.",
                 "globals must be those of state dicts: byte 17 names \"posix.system\"" + kSafe);
  expect_refused(pickle_of("ccollections\nOrderedDict"),
                 "global's name must end within 256 bytes: the one at byte 2 does not");
}

TEST(HostilePickle, EveryOtherOpcode) {
  const std::string known =
      ".(NJKMGX)}]Qabcehjqrstu"
      "TUBCR"
      "\x80\x81\x85\x86\x87\x88\x89\x8a\x8b"
      "\x8c\x8d\x8e\x8f\x90\x93\x94\x95";
  for (int opcode = 0; opcode < 256; ++opcode) {
    const auto letter = static_cast<char>(opcode);
    if (known.find(letter) == std::string::npos) {
      const std::vector<std::uint8_t> bytes = test::bytes_of(pickle_of(std::string(1, letter)));
      try {
        Pickle(bytes, "");
        ADD_FAILURE() << opcode;
      } catch (const Error& error) {
        EXPECT_TRUE(std::string(error.what())
                        .starts_with("opcodes must be those of state dicts: byte 2 is 0x"))
            << error.what();
      }
    }
  }
  expect_refused(pickle_of("i"), "opcodes must be those of state dicts: byte 2 is 0x69, INST");
  expect_refused(pickle_of("o"), "opcodes must be those of state dicts: byte 2 is 0x6f, OBJ");
  expect_refused(pickle_of("\x82"), "opcodes must be those of state dicts: byte 2 is 0x82, EXT1");
  expect_refused(pickle_of("!"), "opcodes must be those of state dicts: byte 2 is 0x21, no opcode");
}

TEST(HostilePickle, Protocols) {
  expect_refused("", "pickle must begin with its protocol, 2 to 5");
  expect_refused("}.", "pickle must begin with its protocol, 2 to 5");
  expect_refused("\x80\x01}.", "pickle must begin with its protocol, 2 to 5: byte 0 says 1");
  expect_refused("\x80\x06}.", "pickle must begin with its protocol, 2 to 5: byte 0 says 6");
  expect_refused("\x80\x02\x80\x02}.",
                 "pickle must begin with its protocol, 2 to 5: byte 2 says 2");
}

TEST(HostilePickle, Stack) {
  expect_refused(pickle_of(""), "pickle must end with one value: byte 2 leaves 0");
  expect_refused(pickle_of("NN"), "pickle must end with one value: byte 4 leaves 2");
  expect_refused(pickle_of("N("), "pickle must end with one value: byte 4 leaves 1");
  expect_refused(pickle_of("\x85"), "stack must hold a value: byte 2 finds none");
  expect_refused(pickle_of("N(\x86"), "stack must hold a value: byte 4 finds none");
  expect_refused(pickle_of("Nt"), "stack must hold a mark: byte 3 finds none");
  expect_refused(pickle_of("](a"), "items must be added to a list: byte 4 finds another value");
  expect_refused(pickle_of("a"), "items must be added to a list: byte 2 finds another value");
  expect_refused(pickle_of("}Na"), "items must be added to a list: byte 4 finds another value");
  expect_refused(pickle_of("](NNu"), "items must be added to a dict: byte 6 finds another value");
  expect_refused(pickle_of("}NNN(Nu"), "keys and values must be pairs: byte 8 finds 1");
  expect_refused(pickle_of("}Ns"), "stack must hold a dict, a key and a value: byte 4 finds 2");
}

TEST(HostilePickle, Calls) {
  using namespace test::pickled;
  const std::string ordered = global("collections", "OrderedDict");
  expect_refused(pickle_of("N)R"),
                 "call must be of a global with a tuple: byte 4 finds other values");
  expect_refused(pickle_of(ordered + "NR"),
                 "call must be of a global with a tuple: byte 28 finds other values");
  expect_refused(pickle_of(call(ordered, {integer(1)})),
                 "OrderedDict must be made of a list of its own: byte 31 has none");
  expect_refused(pickle_of(call(ordered, {list({integer(1)})})),
                 "OrderedDict must be made of pairs: byte 34 finds another value");
  expect_refused(
      pickle_of("]Nb"),
      "attributes must be of an OrderedDict or a parameter: byte 4 gives them to another "
      "value");
  expect_refused(pickle_of("NN\x93"), "global must be named by texts: byte 4 finds other values");
}

TEST(HostilePickle, Memo) {
  expect_refused(pickle_of("h\5"), "memo must hold what is asked for: byte 2 asks for 5");
  expect_refused(pickle_of(std::string("Nr\xff\xff\xff\x7f", 6)),
                 "memo must be numbered in order: byte 3 writes 2147483647");
  expect_refused(pickle_of("Nq\5h\4"), "memo must hold what is asked for: byte 5 asks for 4");
}

TEST(HostilePickle, LengthsBeyondTheEnd) {
  expect_refused(pickle_of("X\xff\xff\xff\xff"),
                 "pickle is truncated: byte 2 needs 4294967295 more, there are 1");
  expect_refused("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
                 "pickle is truncated: byte 2 needs 18446744073709551615 more, there are 0");
  expect_refused("\x80\x04\x95\x10\1\1\1\1\1\1\1.",
                 "pickle is truncated: byte 2 needs 72340172838076688 more, there are 1");
  expect_refused(pickle_of("\x8a\x7f"), "pickle is truncated: byte 2 needs 127 more, there are 1");
}

TEST(HostilePickle, Nesting) {
  expect_refused(pickle_of(std::string(1001, '(')),
                 "values must be nested at most 1000 deep: byte 1002 goes deeper");
  // Deep values without marks are no danger: nothing is recursive.
  std::string tuples = "N";
  for (int i = 0; i < 1000000; ++i) {
    tuples += '\x85';
  }
  const std::vector<std::uint8_t> deep = test::bytes_of(pickle_of(tuples));
  EXPECT_EQ(Pickle(deep, "").values(), 1000003u);
}

TEST(HostilePickle, ManyValues) {
  expect_refused(pickle_of(std::string(1 << 22, '}')),
                 "pickle must hold at most 4194304 values: byte 4194303 is one more");
}

TEST(HostilePickle, LongTexts) {
  expect_refused(pickle_of(test::pickled::string(std::string((1 << 24) + 1, 'a'))),
                 "texts must have at most 16777216 bytes: the one at byte 2 has 16777217");
}

// The same list of pairs, given to one OrderedDict after another.
TEST(HostilePickle, ListsThatAreCopiedAgainAndAgain) {
  using namespace test::pickled;
  std::string pairs = "](";
  for (int i = 0; i < 1000; ++i) {
    pairs += "NN\x86";
  }
  std::string body =
      global("collections", "OrderedDict") + "q" + '\1' + pairs + "eq" + '\2' + "\x85R";
  for (int i = 0; i < 1000; ++i) {
    body += "h\1h\2\x85R\x86";
  }
  expect_refused(pickle_of(body),
                 "OrderedDict must be made of a list of its own: byte 3104 has none");
}

// Each list holds the one before ten times: ten to the power of 30 values when written out.
TEST(HostilePickle, SharedValuesStayShared) {
  std::string body = "]q" + std::string(1, '\0');
  for (int level = 1; level <= 30; ++level) {
    body += "](";
    for (int i = 0; i < 10; ++i) {
      body += std::string("h") + static_cast<char>(level - 1);
    }
    body += std::string("eq") + static_cast<char>(level) + '\x86';
  }
  const std::vector<std::uint8_t> bytes = test::bytes_of(pickle_of(body));
  EXPECT_LT(Pickle(bytes, "").values(), 70u);
}

TEST(Pickle, ListsMayHoldThemselves) {
  const std::vector<std::uint8_t> bytes = test::bytes_of(pickle_of("]q\1h\1a"));
  const Pickle pickle(bytes, "");
  ASSERT_TRUE(pickle.is(pickle.root(), Kind::list));
  EXPECT_EQ(pickle.items(pickle.root())[0].index, pickle.root().index);
}

TEST(Pickle, Numbers) {
  using namespace test::pickled;
  const std::vector<std::uint8_t> good = test::bytes_of(pickle_of(tuple(
      {integer(-1), integer(0), integer(1LL << 62), "K\xff", "M\xff\xff", "J\xfe\xff\xff\xff",
       std::string("\x8a\0", 2), "\x8a\1\x80", std::string("\x8b\2\0\0\0\1\2", 7), real(-0.1)})));
  const Pickle pickle(good, "");
  const std::span<const models::torch::Value> items = pickle.items(pickle.root());
  const std::vector<std::int64_t> want = {-1, 0, 1LL << 62, 255, 65535, -2, 0, -128, 513};
  ASSERT_EQ(items.size(), want.size() + 1);
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(pickle.integer(items[i]), want[i]) << i;
  }
  EXPECT_EQ(pickle.real(items.back()), -0.1);
}

}  // namespace
}  // namespace lamina
