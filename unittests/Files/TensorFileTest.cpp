//===- TensorFileTest.cpp - Tests of tensor files -------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/TensorFile.h"
#include "rnn/Runtime/AtomicFile.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <sys/stat.h>

using namespace mlir::rnn::runtime;

namespace {

class TensorFileTest : public ::testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("rnn-files-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string path(const std::string &name) const { return (folder / name).string(); }

  /// A safetensors file with this header and so many bytes of data.
  static std::string safetensors(const std::string &header, size_t dataBytes) {
    uint64_t length = header.size();
    std::string bytes(reinterpret_cast<const char *>(&length), 8);
    return bytes + header + std::string(dataBytes, '\0');
  }
  /// The message for a safetensors file.
  static std::string messageOf(const std::string &bytes) {
    TensorFile file;
    return parseSafetensors("a.safetensors", bytes, file).message;
  }
  static TensorFile sample() {
    TensorFile file;
    HostTensor &wx = file.tensors["wx"] = makeTensor("f32", {3, 4});
    for (int i = 0; i < 12; ++i)
      wx.as<float>()[i] = float(i) / 7;
    file.tensors["flags"] = makeTensor("i1", {5});
    file.tensors["flags"].data[2] = std::byte(1);
    *(file.tensors["opt.step"] = makeTensor("i64", {})).as<int64_t>() = -5;
    file.tensors["none"] = makeTensor("f64", {0, 3});
    return file;
  }
  static void expectEqual(const TensorFile &a, const TensorFile &b) {
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (const auto &[name, tensor] : a.tensors) {
      ASSERT_TRUE(b.tensors.count(name)) << name;
      EXPECT_EQ(tensor.dtype, b.tensors.at(name).dtype);
      EXPECT_EQ(tensor.shape, b.tensors.at(name).shape);
      EXPECT_EQ(tensor.data, b.tensors.at(name).data);
    }
  }

  std::filesystem::path folder;
};

TEST_F(TensorFileTest, RoundTrips) {
  TensorFile written = sample(), read;
  written.metadata = {{"rnn.step", "812"}, {"quote", "\"\\\n"}};
  ASSERT_TRUE(writeTensorFile(path("a.safetensors"), written).ok());
  ASSERT_TRUE(readTensorFile(path("a.safetensors"), read).ok());
  expectEqual(written, read);
  EXPECT_EQ(written.metadata, read.metadata);

  ASSERT_TRUE(writeTensorFile(path("a.npz"), written).ok());
  Status status = readTensorFile(path("a.npz"), read);
  ASSERT_TRUE(status.ok()) << status.message;
  expectEqual(written, read);
}

TEST_F(TensorFileTest, Extensions) {
  TensorFile file;
  EXPECT_EQ(readTensorFile("a.bin", file).message, "'a.bin' has unknown extension; expected .npz or .safetensors");
  EXPECT_EQ(writeTensorFile("a", file).message, "'a' has unknown extension; expected .npz or .safetensors");
  EXPECT_EQ(readTensorFile(path("none.npz"), file).message,
            "cannot read '" + path("none.npz") + "': No such file or directory");
}

TEST_F(TensorFileTest, NpzHasNoBf16) {
  TensorFile file;
  file.tensors["wx"] = makeTensor("bf16", {2});
  EXPECT_EQ(writeTensorFile(path("a.npz"), file).message, "'wx' is bf16, which .npz cannot hold; use .safetensors");
  EXPECT_FALSE(std::filesystem::exists(path("a.npz")));
}

TEST_F(TensorFileTest, SafetensorsTruncated) {
  std::string header = R"({"wx":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
  EXPECT_EQ(messageOf(safetensors(header, 16)), "");
  EXPECT_EQ(messageOf(safetensors(header, 12)), "'a.safetensors' is truncated: 'wx' ends at byte " +
                                                    std::to_string(8 + header.size() + 16) + ", the file has " +
                                                    std::to_string(8 + header.size() + 12));
  EXPECT_EQ(messageOf(safetensors(header, 16).substr(0, 30)), "'a.safetensors' is truncated: the header ends at byte " +
                                                                  std::to_string(8 + header.size()) +
                                                                  ", the file has 30");
  EXPECT_EQ(messageOf("abc"), "'a.safetensors' is truncated: the header length ends at byte 8, the file has 3");
}

TEST_F(TensorFileTest, SafetensorsHostile) {
  auto reason = [](const std::string &header, size_t bytes) {
    std::string message = messageOf(safetensors(header, bytes)), prefix = "'a.safetensors' is not a safetensors file: ";
    EXPECT_EQ(message.rfind(prefix, 0), 0u) << message;
    return message.substr(std::min(prefix.size(), message.size()));
  };
  EXPECT_EQ(reason("[]", 0), "the header is not a JSON object");
  EXPECT_EQ(reason("{", 0), "the header is not a JSON object");
  EXPECT_EQ(reason(std::string(100000, '['), 0), "the header is nested too deeply");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],)"
                   R"("data_offsets":[2,6]}})",
                   6),
            "'b' overlaps another tensor");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "there is a hole before 'a'");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8), "4 bytes after the last tensor");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[1048576,1048576,1048576],"data_offsets":[0,0]}})", 0),
            "'a' has too many elements (limit 2^40)");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
            "'a' has a dimension that is not a number from 0 to 2^40");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}})", 4),
            "'a' needs 12 bytes, but its data_offsets are 0 and 4");
  EXPECT_EQ(reason(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 4),
            "'a' needs 4 bytes, but its data_offsets are 8 and 4");
  EXPECT_EQ(reason(R"({"a":{"dtype":"C64","shape":[],"data_offsets":[0,8]}})", 8), "'a' has unknown dtype 'C64'");
  EXPECT_EQ(reason(R"({"a":{"dtype":"I8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[],)"
                   R"("data_offsets":[1,2]}})",
                   2),
            "'a' appears twice");
  EXPECT_EQ(messageOf(std::string(8, '\xff')), "'a.safetensors' is not a safetensors file: a header of "
                                               "18446744073709551615 bytes is too long");
}

TEST_F(TensorFileTest, BoolsAreChecked) {
  std::string bytes = safetensors(R"({"m":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 2);
  bytes.back() = 7;
  ASSERT_TRUE(writeFileAtomically(path("a.safetensors"), bytes).ok());
  TensorFile file;
  EXPECT_EQ(readTensorFile(path("a.safetensors"), file).message,
            "'m' of '" + path("a.safetensors") + "' is bool, but has a byte of value 7");
}

/// Every cut and thousands of damaged files are refused or read, without a crash
/// (the sanitizer builds run this too).
TEST_F(TensorFileTest, DamagedFilesDoNoHarm) {
  std::mt19937 random(1);
  for (const char *name : {"a.npz", "a.safetensors"}) {
    ASSERT_TRUE(writeTensorFile(path(name), sample()).ok());
    std::string bytes;
    ASSERT_TRUE(readFile(path(name), bytes).ok());
    auto parse = std::strcmp(name, "a.npz") == 0 ? parseNpz : parseSafetensors;
    for (size_t length = 0; length < bytes.size(); ++length) {
      TensorFile file;
      EXPECT_TRUE(parse(name, bytes.substr(0, length), file).failed()) << name << " " << length;
    }
    for (int i = 0; i < 5000; ++i) {
      std::string damaged = bytes;
      for (unsigned n = 1 + random() % 3; n; --n)
        damaged[random() % damaged.size()] = char(random() % 4 ? random() : (random() % 2 ? 0xff : 0));
      TensorFile file;
      (void)parse(name, damaged, file);
    }
  }
}

TEST_F(TensorFileTest, NpzChecksum) {
  ASSERT_TRUE(writeTensorFile(path("a.npz"), sample()).ok());
  std::string bytes;
  ASSERT_TRUE(readFile(path("a.npz"), bytes).ok());
  TensorFile file;
  ASSERT_TRUE(parseNpz("a.npz", bytes, file).ok());
  float value = 3.0f / 7; // an element of wx
  size_t at = bytes.find(std::string(reinterpret_cast<const char *>(&value), 4));
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  TensorFile damaged;
  EXPECT_EQ(parseNpz("a.npz", bytes, damaged).message, "'a.npz' is not an npz file: member 'wx.npy' is damaged");
}

TEST_F(TensorFileTest, WritingIsWholeOrNotAtAll) {
  ASSERT_TRUE(writeFileAtomically(path("f"), "old").ok());
  // A folder in the place of the temporary file makes the write fail.
  std::filesystem::create_directory(path("f.tmp." + std::to_string(::getpid())));
  Status status = writeFileAtomically(path("f"), "new");
  std::string bytes;
  ASSERT_TRUE(readFile(path("f"), bytes).ok());
  EXPECT_EQ(bytes, status.ok() ? "new" : "old");
  EXPECT_EQ(writeFileAtomically(path("none/f"), "new").message,
            "cannot write '" + path("none/f") + "': No such file or directory");
  ASSERT_TRUE(writeFileAtomically(path("g"), std::vector<std::string_view>{"a", "", "bc"}).ok());
  ASSERT_TRUE(readFile(path("g"), bytes).ok());
  EXPECT_EQ(bytes, "abc");
}

TEST_F(TensorFileTest, LinksAndDevicesStayWhatTheyAre) {
  ASSERT_TRUE(writeFileAtomically(path("target"), "old").ok());
  ASSERT_EQ(::symlink(path("target").c_str(), path("link").c_str()), 0);
  ASSERT_TRUE(writeFileAtomically(path("link"), "new").ok());
  struct stat info;
  ASSERT_EQ(::lstat(path("link").c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  std::string bytes;
  ASSERT_TRUE(readFile(path("target"), bytes).ok());
  EXPECT_EQ(bytes, "new");

  EXPECT_TRUE(writeFileAtomically("/dev/null", "gone").ok());
  EXPECT_EQ(writeFileAtomically("/dev/full", "full").message, "cannot write '/dev/full': No space left on device");
  ASSERT_EQ(::stat("/dev/full", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

} // namespace
