//===- SessionTest.cpp - Sessions over the C interface --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtifact.h"

#include "rnn-c/Runtime.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

using namespace mlir::rnn::runtime::test;

extern "C" uint32_t rnnTestAbiVersionFromC(void);

namespace {

constexpr int64_t kStreams = 3, kFeatures = 4;

/// A DLPack tensor over a vector that it owns.
template <typename T>
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<T> values;
  DLTensor dl;

  Tensor(std::vector<int64_t> dims, uint8_t code, T value = T()) : shape(std::move(dims)) {
    int64_t count = 1;
    for (int64_t dim : shape)
      count *= dim;
    values.assign(count + (count == 0), value);
    dl = {values.data(), {kDLCPU, 0}, int32_t(shape.size()), {code, 8 * sizeof(T), 1}, shape.data(), nullptr, 0};
  }
  Tensor(const Tensor &) = delete;
};
using Floats = Tensor<float>;

/// x of "acc" for some frames: differs in every element.
std::unique_ptr<Floats> makeInput(int64_t frames) {
  auto x = std::make_unique<Floats>(std::vector<int64_t>{frames, kStreams, kFeatures}, kDLFloat);
  for (size_t i = 0; i < x->values.size(); ++i)
    x->values[i] = std::sin(0.7f * i);
  return x;
}

struct ArtifactHandle {
  RnnArtifact *get = nullptr;
  explicit ArtifactHandle(const std::string &bytes = packArtifact()) {
    EXPECT_EQ(rnnArtifactFromMemory(bytes.data(), bytes.size(), &get), RNN_OK) << rnnLastError();
  }
  ~ArtifactHandle() { rnnArtifactDestroy(get); }
};

struct SessionHandle {
  RnnSession *get = nullptr;
  SessionHandle(const ArtifactHandle &artifact, int threads = 1, uint64_t seed = 5) {
    RnnSessionOptions options = {sizeof options, seed, threads, 0};
    EXPECT_EQ(rnnSessionCreate(artifact.get, "cpu", &options, &get), RNN_OK) << rnnLastError();
  }
  ~SessionHandle() { rnnSessionDestroy(get); }

  RnnStatus run(const char *function, std::vector<RnnBinding> bindings) {
    return rnnSessionRun(get, function, bindings.data(), bindings.size(), nullptr);
  }
  std::vector<float> floats(const char *name, std::vector<int64_t> shape) {
    Floats tensor(shape, kDLFloat);
    EXPECT_EQ(rnnSessionGet(get, name, &tensor.dl), RNN_OK) << rnnLastError();
    return tensor.values;
  }
};

TEST(CInterface, DescribesFunctions) {
  EXPECT_EQ(rnnTestAbiVersionFromC() >> 16, 1u);
  ArtifactHandle artifact;
  ASSERT_EQ(rnnFunctionCount(artifact.get), 2);
  EXPECT_STREQ(rnnFunctionName(artifact.get, 0), "acc");
  EXPECT_EQ(rnnFunctionName(artifact.get, 2), nullptr);
  ASSERT_EQ(rnnTensorCount(artifact.get, "acc"), 8);
  EXPECT_EQ(rnnTensorCount(artifact.get, "nothing"), -1);
  RnnTensorInfo info;
  ASSERT_EQ(rnnTensorInfo(artifact.get, "acc", 0, &info), RNN_OK);
  EXPECT_STREQ(info.name, "x");
  EXPECT_TRUE(info.is_input && !info.is_output);
  EXPECT_EQ(info.rank, 3);
  EXPECT_EQ(info.shape[0], -1);
  EXPECT_EQ(info.shape[2], 4);
  ASSERT_EQ(rnnTensorInfo(artifact.get, "acc", 4, &info), RNN_OK);
  EXPECT_TRUE(info.is_input && info.is_output);
  ASSERT_EQ(rnnTensorInfo(artifact.get, "acc", 6, &info), RNN_OK);
  EXPECT_TRUE(!info.is_input && info.is_output);
  EXPECT_EQ(rnnTensorInfo(artifact.get, "acc", 8, &info), RNN_ERROR_USAGE);
  uint64_t bytes = 0;
  ASSERT_EQ(rnnArtifactMemory(artifact.get, "acc", "cpu", 10, &bytes), RNN_OK);
  EXPECT_EQ(bytes, 64u + 160u);
}

TEST(Session, ComputesAndCarriesState) {
  ArtifactHandle artifact;
  SessionHandle session(artifact);
  std::vector<float> w = session.floats("w", {4});
  for (float value : w)
    EXPECT_TRUE(value >= -0.5f && value < 0.5f && value != 0);

  auto x = makeInput(6);
  Floats y({6, 3, 4}, kDLFloat);
  Tensor<double> total({}, kDLFloat);
  ASSERT_EQ(session.run("acc", {{"x", &x->dl}, {"y", &y.dl}, {"total", &total.dl}}), RNN_OK) << rnnLastError();
  std::vector<float> h(12, 0);
  double sum = 0;
  for (int64_t t = 0; t < 6; ++t)
    for (int i = 0; i < 12; ++i) {
      h[i] = 2.0f * w[i % 4] * x->values[t * 12 + i] + h[i];
      EXPECT_EQ(y.values[t * 12 + i], h[i]);
      sum += h[i];
    }
  EXPECT_EQ(total.values[0], sum);
  EXPECT_EQ(session.floats("state.h", {1, 3, 4}), h);

  // The next call goes on where this one ended; results may be left out.
  ASSERT_EQ(session.run("acc", {{"x", &x->dl}, {"y", &y.dl}}), RNN_OK) << rnnLastError();
  EXPECT_EQ(y.values[0], 2.0f * w[0] * x->values[0] + h[0]);
  ASSERT_EQ(session.run("acc", {{"x", &x->dl}}), RNN_OK) << rnnLastError();
}

TEST(Session, SameBitsForAnyThreads) {
  ArtifactHandle artifact;
  std::vector<std::vector<float>> outputs;
  for (int threads : {1, 2, 3, 4}) {
    SessionHandle session(artifact, threads);
    auto x = makeInput(5);
    Floats y({5, 3, 4}, kDLFloat);
    for (int call = 0; call < 3; ++call)
      ASSERT_EQ(session.run("acc", {{"x", &x->dl}, {"y", &y.dl}}), RNN_OK) << rnnLastError();
    outputs.push_back(y.values);
    EXPECT_EQ(outputs.back(), outputs.front()) << threads;
  }
}

TEST(Session, ChunksEqualOneCall) {
  ArtifactHandle artifact;
  SessionHandle whole(artifact, 2), parts(artifact, 2);
  auto x = makeInput(7);
  ASSERT_EQ(whole.run("acc", {{"x", &x->dl}}), RNN_OK);
  for (auto [begin, frames] : {std::pair<int64_t, int64_t>{0, 2}, {2, 4}, {6, 1}}) {
    auto chunk = makeInput(frames);
    std::copy_n(&x->values[begin * 12], frames * 12, chunk->values.begin());
    ASSERT_EQ(parts.run("acc", {{"x", &chunk->dl}}), RNN_OK);
  }
  EXPECT_EQ(whole.floats("state.h", {1, 3, 4}), parts.floats("state.h", {1, 3, 4}));
}

TEST(Session, BarriersWorkspaceAndSeed) {
  ArtifactHandle artifact;
  for (int threads : {1, 2, 4}) {
    SessionHandle session(artifact, threads, 77);
    std::vector<float> w = session.floats("w", {4});
    Tensor<int32_t> x({2, 3}, kDLInt, 2);
    Tensor<int64_t> used({2}, kDLInt), step({}, kDLInt);
    Floats loss({}, kDLFloat);
    ASSERT_EQ(session.run("step", {{"x", &x.dl}, {"used", &used.dl}, {"loss", &loss.dl}}), RNN_OK) << rnnLastError();
    EXPECT_EQ(used.values[0], 100) << threads;
    EXPECT_EQ(used.values[1], 77);
    ASSERT_EQ(rnnSessionGet(session.get, "opt.step", &step.dl), RNN_OK);
    EXPECT_EQ(step.values[0], 1);
    // Parameters are shared between functions; lr had its default.
    EXPECT_FLOAT_EQ(session.floats("w", {4})[0], w[0] + 0.25f * 12);
  }
}

TEST(Session, DefaultsAndReplacedValues) {
  ArtifactHandle artifact;
  SessionHandle session(artifact);
  auto x = makeInput(2);
  Floats gain({}, kDLFloat, 3.0f), w({4}, kDLFloat, 1.0f), y({2, 3, 4}, kDLFloat);
  Tensor<uint8_t> mask({2, 3}, kDLBool, 0);
  Tensor<double> total({}, kDLFloat, -1);
  ASSERT_EQ(
      session.run(
          "acc",
          {{"x", &x->dl}, {"gain", &gain.dl}, {"w", &w.dl}, {"y", &y.dl}, {"mask", &mask.dl}, {"total", &total.dl}}),
      RNN_OK)
      << rnnLastError();
  EXPECT_EQ(y.values[1], 3.0f * x->values[1]);
  EXPECT_EQ(total.values[0], 0); // all masked
  EXPECT_EQ(session.floats("w", {4}), w.values);

  // Defaults come back, also for more frames than before.
  auto longer = makeInput(9);
  Floats out({9, 3, 4}, kDLFloat);
  ASSERT_EQ(rnnSessionReset(session.get, nullptr), RNN_OK);
  ASSERT_EQ(session.run("acc", {{"x", &longer->dl}, {"y", &out.dl}, {"total", &total.dl}}), RNN_OK);
  EXPECT_EQ(out.values[1], 2.0f * longer->values[1]);
  EXPECT_NE(total.values[0], 0);
}

TEST(Session, ResetsSingleStreams) {
  ArtifactHandle artifact;
  SessionHandle session(artifact);
  auto x = makeInput(1);
  Floats y({1, 3, 4}, kDLFloat);
  ASSERT_EQ(session.run("acc", {{"x", &x->dl}, {"y", &y.dl}}), RNN_OK);
  std::vector<float> first = y.values;
  const uint8_t streams[] = {0, 1, 0};
  ASSERT_EQ(rnnSessionReset(session.get, streams), RNN_OK);
  Tensor<int64_t> age({3}, kDLInt);
  ASSERT_EQ(rnnSessionGet(session.get, "state.age", &age.dl), RNN_OK);
  EXPECT_EQ(age.values, (std::vector<int64_t>{0, -1, 0}));
  ASSERT_EQ(session.run("acc", {{"x", &x->dl}, {"y", &y.dl}}), RNN_OK);
  EXPECT_EQ(y.values[4], first[4]);
  EXPECT_EQ(y.values[0], first[0] + first[0]);
}

TEST(Session, ViewIsTheTensorItself) {
  ArtifactHandle artifact;
  SessionHandle session(artifact);
  DLManagedTensorVersioned *view = nullptr;
  ASSERT_EQ(rnnSessionView(session.get, "state.h", &view), RNN_OK) << rnnLastError();
  ASSERT_EQ(view->dl_tensor.ndim, 3);
  EXPECT_EQ(view->dl_tensor.shape[1], 3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(view->dl_tensor.data) % 64, 0u);
  static_cast<float *>(view->dl_tensor.data)[5] = 42;
  EXPECT_EQ(session.floats("state.h", {1, 3, 4})[5], 42);
  view->deleter(view);
  EXPECT_EQ(rnnSessionView(session.get, "y", &view), RNN_ERROR_DATA);
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

class Errors : public testing::Test {
protected:
  ArtifactHandle artifact;
  SessionHandle session{artifact};
  std::unique_ptr<Floats> x = makeInput(3);

  /// The message of a call that must fail and change nothing.
  std::string failure(const char *function, std::vector<RnnBinding> bindings, RnnStatus code = RNN_ERROR_DATA,
                      char kind = 0) {
    std::vector<float> before = session.floats("w", {4});
    EXPECT_EQ(session.run(function, std::move(bindings)), code);
    EXPECT_EQ(session.floats("w", {4}), before);
    if (kind) {
      EXPECT_EQ(rnnLastErrorKind(), kind);
    }
    return rnnLastError();
  }
};

TEST_F(Errors, Frames) {
  auto none = makeInput(0);
  EXPECT_EQ(failure("acc", {{"x", &none->dl}}, RNN_ERROR_DATA, 'S'), "input 'x' has 0 frames; at least 1 is required");
  Tensor<uint8_t> mask({2, 3}, kDLBool, 1);
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"mask", &mask.dl}}, RNN_ERROR_DATA, 'S'),
            "'x' has 3 frames, but 'mask' has 2");
  Floats y({4, 3, 4}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"y", &y.dl}, {"x", &x->dl}}), "'x' has 3 frames, but 'y' has 4");
  Tensor<int32_t> tooLong({5, 3}, kDLInt);
  EXPECT_EQ(failure("step", {{"x", &tooLong.dl}}, RNN_ERROR_DATA, 'S'),
            "'step' takes at most 4 frames a call, but 'x' has 5");
}

TEST_F(Errors, Streams) {
  Floats other({3, 8, 4}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"x", &other.dl}}, RNN_ERROR_DATA, 'S'),
            "input 'x' has 8 streams, but '<memory>' was compiled for 3\nnote: recompile with --streams=8");
  Floats state({1, 8, 4}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"state.h", &state.dl}}),
            "input 'state.h' has 8 streams, but '<memory>' was compiled for 3\nnote: recompile with --streams=8");
}

TEST_F(Errors, Names) {
  EXPECT_EQ(failure("acc", {}, RNN_ERROR_DATA, 'F'), "no input for 'x' of 'acc'\nnote: given: nothing");
  Floats w({4}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"w", &w.dl}}), "no input for 'x' of 'acc'\nnote: given: w");
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"wc", &w.dl}}), "'acc' has no tensor named 'wc'\nnote: did you mean 'w'?");
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"elephant", &w.dl}}), "'acc' has no tensor named 'elephant'");
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"x", &x->dl}}), "'x' is given twice");
  EXPECT_EQ(failure("stp", {}), "'<memory>' has no function named 'stp'\nnote: did you mean 'step'?");
}

TEST_F(Errors, Types) {
  Tensor<double> wide({3, 3, 4}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"x", &wide.dl}}, RNN_ERROR_DATA, 'T'),
            "input 'x' of 'acc' is f64 [3,3,4], expected f32 [T,3,4]");
  Floats flat({12}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"x", &flat.dl}}, RNN_ERROR_DATA, 'S'),
            "input 'x' of 'acc' is f32 [12], expected f32 [T,3,4]");
  Floats y({3, 3, 5}, kDLFloat);
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"y", &y.dl}}), "result 'y' of 'acc' is f32 [3,3,5], expected f32 [T,3,4]");
  Tensor<uint16_t> half({3, 3, 4}, kDLBfloat);
  EXPECT_EQ(failure("acc", {{"x", &half.dl}}), "input 'x' of 'acc' is bf16 [3,3,4], expected f32 [T,3,4]");
}

TEST_F(Errors, IntegersMustFit) {
  Tensor<int64_t> fits({2, 3}, kDLInt, 1);
  ASSERT_EQ(session.run("step", {{"x", &fits.dl}}), RNN_OK) << rnnLastError();
  Tensor<uint16_t> small({2, 3}, kDLUInt, 1);
  ASSERT_EQ(session.run("step", {{"x", &small.dl}}), RNN_OK) << rnnLastError();
  fits.values[4] = int64_t(1) << 31;
  EXPECT_EQ(failure("step", {{"x", &fits.dl}}, RNN_ERROR_DATA, 'T'),
            "input 'x' of 'step' has the value 2147483648, which i32 cannot hold");
  Tensor<uint8_t> mask({3, 3}, kDLUInt, 1);
  ASSERT_EQ(session.run("acc", {{"x", &x->dl}, {"mask", &mask.dl}}), RNN_OK) << rnnLastError();
  mask.values[0] = 2;
  EXPECT_EQ(failure("acc", {{"x", &x->dl}, {"mask", &mask.dl}}),
            "input 'mask' of 'acc' has the value 2, which i1 cannot hold");
}

TEST_F(Errors, Layout) {
  int64_t strides[] = {1, 3, 9};
  x->dl.strides = strides;
  EXPECT_EQ(failure("acc", {{"x", &x->dl}}), "tensor 'x' is not contiguous");
  int64_t rowMajor[] = {12, 4, 1};
  x->dl.strides = rowMajor;
  EXPECT_EQ(session.run("acc", {{"x", &x->dl}}), RNN_OK);
  x->dl.device.device_type = kDLCUDA;
  EXPECT_EQ(failure("acc", {{"x", &x->dl}}, RNN_ERROR_DEVICE, 'D'), "tensor 'x' is not in host memory");
  x->dl.device.device_type = kDLCPU;
  x->dl.byte_offset = 2;
  EXPECT_EQ(failure("acc", {{"x", &x->dl}}, RNN_ERROR_USAGE), "input 'x' of 'acc' is not aligned to 4 bytes");
  EXPECT_EQ(failure("acc", {{"x", nullptr}}, RNN_ERROR_USAGE), "tensor 'x' is null");
  EXPECT_EQ(rnnSessionRun(nullptr, "acc", nullptr, 0, nullptr), RNN_ERROR_USAGE);
}

TEST_F(Errors, Targets) {
  RnnSession *other = nullptr;
  auto message = [&](const char *target, RnnStatus code) {
    EXPECT_EQ(rnnSessionCreate(artifact.get, target, nullptr, &other), code);
    return std::string(rnnLastError());
  };
  EXPECT_EQ(message("tpu", RNN_ERROR_USAGE), "unknown target 'tpu'\nnote: known: cpu, cuda:0, emulator, interpreter");
  EXPECT_EQ(message("interpreter", RNN_ERROR_DEVICE),
            "'<memory>' has no code for 'interpreter'\nnote: it has: cpu:sse2");
  EXPECT_EQ(other, nullptr);
}

TEST_F(Errors, MemoryIsAskedForFirst) {
  std::string greedy = packArtifact(editTables("\"per_frame\": 16", "\"per_frame\": 100000000000000"));
  RnnArtifact *artifact = nullptr;
  RnnSession *session = nullptr;
  ASSERT_EQ(rnnArtifactFromMemory(greedy.data(), greedy.size(), &artifact), RNN_OK);
  EXPECT_EQ(rnnSessionCreate(artifact, "cpu", nullptr, &session), RNN_ERROR_MEMORY);
  EXPECT_EQ(rnnLastErrorKind(), 'M');
  EXPECT_EQ(std::string(rnnLastError()).substr(0, 29), "needs 90.9 TiB for T=1, 'cpu'");
  rnnArtifactDestroy(artifact);
}

TEST_F(Errors, FailedGrowthKeepsTheSession) {
  std::string tables =
      editTables("\"per_thread\": 8, \"per_frame\": 0", "\"per_thread\": 8, \"per_frame\": 1000000000");
  size_t at = tables.find("\"advance\": 4");
  tables.replace(at, 12, "\"advance\": 0");
  ArtifactHandle other(packArtifact(tables));
  SessionHandle small(other);
  Tensor<int32_t> one({1, 3}, kDLInt, 1), many({1000, 3}, kDLInt, 1);
  ASSERT_EQ(small.run("step", {{"x", &one.dl}}), RNN_OK) << rnnLastError();
  std::vector<float> w = small.floats("w", {4});
  EXPECT_EQ(small.run("step", {{"x", &many.dl}}), RNN_ERROR_MEMORY);
  std::string message = rnnLastError();
  EXPECT_NE(message.find("for T=1000, 'cpu' has"), message.npos) << message;
  EXPECT_NE(message.find(" fits"), message.npos) << message;
  EXPECT_EQ(small.floats("w", {4}), w);
  EXPECT_EQ(small.run("step", {{"x", &one.dl}}), RNN_OK) << rnnLastError();
}

TEST_F(Errors, BelongToTheirThread) {
  EXPECT_NE(failure("acc", {}), "");
  std::string other = "?";
  std::thread([&] { other = rnnLastError(); }).join();
  EXPECT_EQ(other, "");
}

TEST_F(Errors, Files) {
  RnnArtifact *none = nullptr;
  EXPECT_EQ(rnnArtifactOpen("/nowhere/m.rnnc", &none), RNN_ERROR_DATA);
  EXPECT_STREQ(rnnLastError(), "cannot read '/nowhere/m.rnnc': No such file or directory");
  EXPECT_EQ(rnnArtifactOpen("/dev/zero", &none), RNN_ERROR_DATA);
  EXPECT_STREQ(rnnLastError(), "cannot read '/dev/zero': not a regular file");
  EXPECT_EQ(rnnArtifactOpen("/", &none), RNN_ERROR_DATA);
}

//===----------------------------------------------------------------------===//
// Checkpoints
//===----------------------------------------------------------------------===//

class Checkpoint : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/rnn-XXXXXX";
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder = pattern;
    file = (folder / "last.safetensors").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::string file;
  ArtifactHandle artifact;
};

TEST_F(Checkpoint, ResumingIsNotHavingStopped) {
  auto x = makeInput(3);
  Tensor<int32_t> chunk({4, 3}, kDLInt, 3);
  SessionHandle first(artifact, 1, 1);
  ASSERT_EQ(first.run("step", {{"x", &chunk.dl}}), RNN_OK);
  ASSERT_EQ(first.run("acc", {{"x", &x->dl}}), RNN_OK);
  ASSERT_EQ(rnnSessionSave(first.get, file.c_str()), RNN_OK) << rnnLastError();
  ASSERT_EQ(first.run("acc", {{"x", &x->dl}}), RNN_OK);

  SessionHandle second(artifact, 2, 99); // another seed: all of it is restored
  ASSERT_EQ(rnnSessionLoad(second.get, file.c_str()), RNN_OK) << rnnLastError();
  Tensor<int64_t> used({2}, kDLInt), step({}, kDLInt);
  ASSERT_EQ(rnnSessionGet(second.get, "opt.step", &step.dl), RNN_OK);
  EXPECT_EQ(step.values[0], 1);
  ASSERT_EQ(second.run("acc", {{"x", &x->dl}}), RNN_OK);
  EXPECT_EQ(first.floats("state.h", {1, 3, 4}), second.floats("state.h", {1, 3, 4}));
  EXPECT_EQ(first.floats("w", {4}), second.floats("w", {4}));
  ASSERT_EQ(second.run("step", {{"x", &chunk.dl}, {"used", &used.dl}}), RNN_OK);
  EXPECT_EQ(used.values[1], 1);
  // Nothing but the file is left in the folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(Checkpoint, OfAnotherNetwork) {
  SessionHandle session(artifact);
  ASSERT_EQ(rnnSessionSave(session.get, file.c_str()), RNN_OK);
  ArtifactHandle other(packArtifact(editTables("\"00112233", "\"ffeeddcc")));
  SessionHandle stranger(other);
  EXPECT_EQ(rnnSessionLoad(stranger.get, file.c_str()), RNN_ERROR_DATA);
  EXPECT_EQ(rnnLastError(), "'" + file + "' belongs to another network (hash 0011…, expected ffee…)");
}

TEST_F(Checkpoint, DamagedFilesChangeNothing) {
  SessionHandle session(artifact);
  ASSERT_EQ(rnnSessionSave(session.get, file.c_str()), RNN_OK);
  std::string whole = readAll(file);
  std::vector<float> w = session.floats("w", {4});
  for (size_t size = 0; size < whole.size(); size += 7) {
    std::ofstream(file, std::ios::binary) << whole.substr(0, size);
    EXPECT_EQ(rnnSessionLoad(session.get, file.c_str()), RNN_ERROR_DATA) << size;
  }
  EXPECT_EQ(session.floats("w", {4}), w);
  EXPECT_EQ(rnnSessionSave(session.get, (folder / "no/such/folder.safetensors").c_str()), RNN_ERROR_DATA);
}

} // namespace
