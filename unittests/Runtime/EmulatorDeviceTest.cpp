//===- EmulatorDeviceTest.cpp - Sessions on the emulator ------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestKernels.h"

#include "rnn-c/Runtime.h"

using namespace mlir::rnn::runtime;
using namespace mlir::rnn::runtime::test;

namespace {

std::shared_ptr<const Artifact> packEmulated(const std::string &launches = kLaunches,
                                             const std::string &tables = kTables) {
  return packSections({{SectionKind::Launches, "emulator", launches},
                       {SectionKind::EmulatorCode, "emulator", readAll(RNN_TEST_EMULATED_KERNELS)}},
                      tables);
}

std::unique_ptr<Session> open(std::shared_ptr<const Artifact> artifact, uint64_t order = 0) {
  SessionOptions options;
  options.seed = 5;
  options.emulatorOrder = order;
  std::unique_ptr<Session> session;
  Status status = Session::create(std::move(artifact), "emulator", options, session);
  EXPECT_TRUE(status.ok()) << status.str();
  return session;
}

std::string whyNot(std::shared_ptr<const Artifact> artifact) {
  std::unique_ptr<Session> session;
  return Session::create(std::move(artifact), "emulator", {}, session).str();
}

TEST(EmulatorDevice, ComputesAndCarriesState) {
  auto session = open(packEmulated());
  TensorMap inputs = makeFrames(6), results;
  std::vector<float> w = floatsOf(*session, "w"), x = floatsOf(inputs["x"]), h(12, 0);
  for (int call = 0; call < 2; ++call) {
    Status status = session->run("acc", inputs, results);
    ASSERT_TRUE(status.ok()) << status.str();
    double sum = 0;
    std::vector<float> y = floatsOf(results["y"]);
    for (int t = 0; t < 6; ++t)
      for (int i = 0; i < 12; ++i) {
        h[i] = 2.0f * w[i % 4] * x[t * 12 + i] + h[i];
        EXPECT_EQ(y[t * 12 + i], h[i]);
        sum += h[i];
      }
    EXPECT_EQ(*results["total"].as<double>(), sum);
    EXPECT_EQ(floatsOf(*session, "state.h"), h);
  }
}

TEST(EmulatorDevice, OrdersDifferInBlocksAndNotInBits) {
  std::vector<float> first;
  for (uint64_t order : {0, 1, 2, 3, 99}) {
    auto session = open(packEmulated(), order);
    TensorMap results;
    ASSERT_TRUE(session->run("acc", makeFrames(4), results).ok());
    if (first.empty())
      first = floatsOf(results["y"]);
    EXPECT_EQ(floatsOf(results["y"]), first);
    ASSERT_TRUE(session->run("step", makeSteps(4, 1), results).ok());
    EXPECT_EQ(results["used"].as<int64_t>()[0], 32 * int64_t(2 + order % 3));
  }
}

// A grid is no larger than its work.
TEST(EmulatorDevice, OneBlockStaysOne) {
  auto session = open(packEmulated(), 2);
  TensorMap results;
  ASSERT_TRUE(session->run("step", makeSteps(1, 1), results).ok());
  EXPECT_EQ(results["used"].as<int64_t>()[0], 32);
  EXPECT_EQ(results["used"].as<int64_t>()[1], 5) << "the session's seed";
}

TEST(EmulatorDevice, WorkspaceIsPoisonedAtEveryCall) {
  auto session = open(packEmulated());
  for (int call = 0; call < 2; ++call) {
    TensorMap results;
    ASSERT_TRUE(session->run("step", makeSteps(1, 1), results).ok());
    EXPECT_TRUE(std::isnan(*results["loss"].as<float>()));
  }
}

#if defined(__x86_64__)
// A GPU does not know what the caller's thread has set for itself.
TEST(EmulatorDevice, SubnormalsAreKept) {
  auto session = open(packEmulated());
  TensorMap inputs = makeFrames(1), results;
  HostTensor &gain = inputs["gain"] = makeTensor("f32", {});
  *gain.as<float>() = 1e-40f;
  unsigned saved = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(saved | 0x8040); // flush to zero, denormals are zero
  Status status = session->run("acc", inputs, results);
  unsigned after = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(saved);
  ASSERT_TRUE(status.ok()) << status.str();
  EXPECT_EQ(after & 0x8040, 0x8040u) << "the caller's state comes back";
  EXPECT_NE(floatsOf(results["y"])[5], 0);
}
#endif

TEST(EmulatorDevice, StoredTensorsGoBothWays) {
  auto session = open(packEmulated());
  TensorMap results;
  // Set before a call, read after it.
  HostTensor w = makeTensor("f32", {4});
  for (int i = 0; i < 4; ++i)
    w.as<float>()[i] = 1;
  ASSERT_TRUE(session->set("w", w).ok());
  ASSERT_TRUE(session->run("step", makeSteps(2, 1), results).ok());
  EXPECT_FLOAT_EQ(floatsOf(*session, "w")[3], 1 + 0.25f * 6);
  // Bound by name: replaced before the call.
  TensorMap inputs = makeSteps(2, 1);
  inputs["w"] = w;
  ASSERT_TRUE(session->run("step", inputs, results).ok());
  EXPECT_FLOAT_EQ(floatsOf(*session, "w")[3], 1 + 0.25f * 6);
  // What is written through a view counts.
  TensorRef view;
  ASSERT_TRUE(session->view("w", view).ok());
  static_cast<float *>(view.data)[3] = 10;
  ASSERT_TRUE(session->run("step", makeSteps(1, 0), results).ok());
  EXPECT_FLOAT_EQ(floatsOf(*session, "w")[3], 10);
  EXPECT_FLOAT_EQ(floatsOf(*session, "w")[2], 1 + 0.25f * 6);
  // A reset reaches the ages of one stream alone.
  ASSERT_TRUE(session->run("acc", makeFrames(3), results).ok());
  const uint8_t streams[] = {0, 1, 0};
  ASSERT_TRUE(session->reset(streams).ok());
  ASSERT_TRUE(session->run("acc", makeFrames(1), results).ok());
  HostTensor ages;
  ASSERT_TRUE(session->get("state.age", ages).ok());
  EXPECT_EQ(ages.as<int64_t>()[0], 3);
  EXPECT_EQ(ages.as<int64_t>()[1], 0);
}

TEST(EmulatorDevice, CheckpointsHoldWhatTheGpuComputed) {
  std::string path = testing::TempDir() + "/rnn-gpu-checkpoint.safetensors";
  auto session = open(packEmulated());
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(3), results).ok());
  ASSERT_TRUE(session->run("step", makeSteps(1, 2), results).ok());
  ASSERT_TRUE(session->save(path).ok());
  auto other = open(packEmulated());
  ASSERT_TRUE(other->run("acc", makeFrames(9), results).ok());
  Status status = other->load(path);
  ASSERT_TRUE(status.ok()) << status.str();
  TensorMap first, second;
  ASSERT_TRUE(session->run("acc", makeFrames(2), first).ok());
  ASSERT_TRUE(other->run("acc", makeFrames(2), second).ok());
  EXPECT_EQ(floatsOf(first["y"]), floatsOf(second["y"]));
  EXPECT_EQ(floatsOf(*session, "w"), floatsOf(*other, "w"));
}

TEST(EmulatorDevice, BlocksFormClusters) {
  auto session = open(packEmulated(editLaunches(R"("kernel": "step",)", R"("kernel": "pairs", "cluster": 2,)")));
  TensorMap results;
  Status status = session->run("step", makeSteps(4, 1), results);
  ASSERT_TRUE(status.ok()) << status.str();
  EXPECT_EQ(results["used"].as<int64_t>()[0], 2);
  EXPECT_EQ(results["used"].as<int64_t>()[1], 2);
}

TEST(EmulatorDevice, SaysWhatIsMissing) {
  EXPECT_EQ(whyNot(packSections({{SectionKind::Launches, "emulator", kLaunches}})),
            "'m.rnnc' has no code for 'emulator'\nnote: it has: emulator");
  EXPECT_EQ(whyNot(packSections({{SectionKind::Ptx, "cuda:sm_90", "x"}})),
            "'m.rnnc' has no code for 'emulator'\nnote: it has: cuda:sm_90");
  EXPECT_EQ(whyNot(packEmulated(editLaunches("acc_total", "nothing"))),
            "'m.rnnc' is damaged: its code for 'emulator' has no kernel 'nothing'");
  EXPECT_EQ(whyNot(packEmulated(editLaunches("\"block\": 2", "\"block\": 0"))),
            "'m.rnnc' is damaged: launch of 'acc_loop' has no 'block' from 1 to 1024");
  EXPECT_EQ(whyNot(packEmulated(kLaunches, editTables("[\"sse2\"]", "[\"sse2\", \"avx99\"]"))),
            "'m.rnnc' needs avx99, which this CPU lacks");
  EXPECT_EQ(
      whyNot(packSections({{SectionKind::Launches, "emulator", kLaunches},
                           {SectionKind::EmulatorCode, "emulator", readAll(RNN_TEST_FUNCTIONS)}})),
      "'m.rnnc' has emulator code of another version, without the symbol 'rnn_emulator_2'\nnote: compile it again");
}

TEST(EmulatorDevice, AStalledKernelEndsTheSession) {
  auto session = open(packEmulated(editLaunches("\"kernel\": \"step\"", "\"kernel\": \"stall\"")));
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(1), results).ok());
  Status status = session->run("step", makeSteps(1, 1), results);
  EXPECT_EQ(status.code, Code::Device);
  EXPECT_EQ(status.message.substr(0, 24), "kernel 'stall' stalled: ");
  // What the call left behind is not shown as if it were a result.
  EXPECT_EQ(session->run("acc", makeFrames(1), results).message, status.message);
  HostTensor w;
  EXPECT_EQ(session->get("w", w).message, status.message);
}

TEST(EmulatorDevice, MemoryIsAskedForFirst) {
  std::string greedy = editLaunches("\"per_frame\": 16", "\"per_frame\": 100000000000000");
  std::string message = whyNot(packEmulated(greedy));
  EXPECT_EQ(message.substr(0, 34), "needs 90.9 TiB for T=1, 'emulator'") << message;
  // A call that is too large leaves the session as it was.
  auto session = open(packEmulated(editLaunches("\"per_frame\": 16", "\"per_frame\": 100000000")));
  TensorMap results, again;
  ASSERT_TRUE(session->run("acc", makeFrames(1), results).ok());
  Status status = session->run("acc", makeFrames(1000000), again);
  EXPECT_EQ(status.code, Code::Memory);
  EXPECT_EQ(status.message.substr(0, 40), "needs 90.9 TiB for T=1000000, 'emulator'") << status.message;
  EXPECT_TRUE(session->run("acc", makeFrames(1), again).ok());
  EXPECT_NE(floatsOf(results["y"]), floatsOf(again["y"])) << "its state went on";
}

TEST(EmulatorDevice, TellsItsMemory) {
  std::string file;
  ASSERT_TRUE(
      writeArtifact({{SectionKind::Tables, "", kTables}, {SectionKind::Launches, "emulator", kLaunches}}, file).ok());
  RnnArtifact *artifact = nullptr;
  ASSERT_EQ(rnnArtifactFromMemory(file.data(), file.size(), &artifact), RNN_OK);
  uint64_t bytes = 0;
  ASSERT_EQ(rnnArtifactMemory(artifact, "acc", "emulator", 10, &bytes), RNN_OK) << rnnLastError();
  EXPECT_EQ(bytes, 64u + 160u);
  EXPECT_EQ(rnnArtifactMemory(artifact, "acc", "cuda:0", 10, &bytes), RNN_ERROR_DEVICE);
  EXPECT_STREQ(rnnLastError(), "'<memory>' has no code for 'cuda'\nnote: it has: emulator");
  rnnArtifactDestroy(artifact);
}

} // namespace
