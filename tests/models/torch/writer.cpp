#include "models/checkpoint/torch/writer.h"

#include <cstring>
#include <gtest/gtest.h>

#include "models/checkpoint/torch/zip.h"
#include "tests/models/torch/samples.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

models::Checkpoint sample() {
  models::Checkpoint checkpoint;
  checkpoint.metadata = {{"labels", "a cat\na \"dog\""}, {"epsilon", "1e-5"}, {"", ""}};
  checkpoint.tensors.emplace("conv.weight", test::random_tensor({300, 2, 3, 1}, 1));
  checkpoint.tensors.emplace("norm.running_mean", test::random_tensor({7}, 2));
  checkpoint.tensors.emplace("norm.running_var", test::random_tensor({7}, 3));
  checkpoint.tensors.emplace("scalar", test::random_tensor({}, 4));
  checkpoint.tensors.emplace("none", Tensor::zeros({0, 4}));
  return checkpoint;
}

TEST(TorchWriter, IsReadAgainToTheLastBit) {
  const test::Folder folder;
  const models::Checkpoint want = sample();
  models::write_torch(folder / "net.pth", want);
  const models::Archive archive = models::read_archive(folder / "net.pth");
  EXPECT_EQ(archive.container, "PyTorch (zip)");
  EXPECT_EQ(archive.remarks, std::vector<std::string>());
  const models::Checkpoint got = models::to_checkpoint(archive, "net.pth");
  EXPECT_EQ(got.metadata, want.metadata);
  ASSERT_EQ(got.tensors.size(), want.tensors.size());
  for (const auto& [name, tensor] : want.tensors) {
    EXPECT_TRUE(test::same_bits(got.tensors.at(name), tensor)) << name;
  }
}

TEST(TorchWriter, BatchNormsHaveTheirCounters) {
  const test::Folder folder;
  models::write_torch(folder / "net.pth", sample());
  const models::Archive archive = models::read_archive(folder / "net.pth");
  const models::StoredTensor& counter = archive.tensors.at("norm.num_batches_tracked");
  EXPECT_EQ(counter.type->name, "I64");
  EXPECT_EQ(counter.shape, std::vector<std::uint64_t>());
  EXPECT_EQ(models::packed(counter), std::vector<std::uint8_t>(8, 0));
  EXPECT_EQ(archive.tensors.size(), 6u);
}

TEST(TorchWriter, AlignsStorages) {
  const test::Folder folder;
  models::write_torch(folder / "net.pth", sample());
  const std::vector<std::uint8_t> bytes = test::bytes_of(test::read_file(folder / "net.pth"));
  const models::torch::Zip zip(bytes, "");
  for (const models::torch::ZipEntry& entry : zip.entries()) {
    EXPECT_EQ((entry.stored.data() - bytes.data()) % 64, 0) << entry.name;
    EXPECT_FALSE(entry.is_deflated) << entry.name;
  }
}

TEST(TorchWriter, SaysWhereItCannotWrite) {
  const test::Folder folder;
  test::expect_error(
      [&] { models::write_torch(folder / "none" / "net.pth", sample()); },
      text("torch: ", (folder / "none" / "net.pth").string(), ": cannot be written: its folder ",
           (folder / "none").string(), ": No such file or directory"));
}

}  // namespace
}  // namespace lamina
