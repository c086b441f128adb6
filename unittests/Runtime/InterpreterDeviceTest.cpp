//===- InterpreterDeviceTest.cpp - The border to the interpreter ----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtifact.h"

#include "rnn/Runtime/Device.h"

#include <memory>
#include <vector>

using namespace mlir::rnn::runtime;
using namespace mlir::rnn::runtime::test;

namespace {

std::shared_ptr<const Artifact> makeArtifact(const std::string &module) {
  std::string file;
  EXPECT_TRUE(writeArtifact({{SectionKind::Tables, "", kTables}, {SectionKind::Module, "", module}}, file).ok());
  std::shared_ptr<const Artifact> artifact;
  EXPECT_TRUE(Artifact::fromMemory(file, "m.rnnc", artifact).ok());
  return artifact;
}

TEST(InterpreterDevice, SaysWhatIsMissing) {
  std::unique_ptr<Device> device;
  Status status = createInterpreterDevice(*makeArtifact("good"), "", device);
  EXPECT_EQ(status.message, "the interpreter is not installed (librnn-interpreter.so)");
  EXPECT_EQ(status.code, Code::Device);
  EXPECT_TRUE(createInterpreterDevice(*makeArtifact("good"), RNN_TEST_FUNCTIONS, device).failed());
  status = createInterpreterDevice(*makeArtifact("bad"), RNN_FAKE_INTERPRETER, device);
  EXPECT_EQ(status.message, "not a module");
  EXPECT_EQ(status.code, Code::Data);
}

TEST(InterpreterDevice, CallsInTableOrder) {
  std::shared_ptr<const Artifact> artifact = makeArtifact("good");
  std::unique_ptr<Device> device;
  Status status = createInterpreterDevice(*artifact, RNN_FAKE_INTERPRETER, device);
  ASSERT_TRUE(status.ok()) << status.str();
  const Function &acc = artifact->tables().functions[0];
  std::vector<float> x(24, 1.5f), y(24);
  char other[256] = {};
  void *addresses[] = {x.data(), other, other, other, other, other, y.data(), other};
  const CallTensors tensors = {addresses, nullptr};
  ASSERT_TRUE(device->run(acc, 0, 2, tensors, nullptr).ok());
  EXPECT_EQ(y, x);
  device->perturb(8, 1);
  ASSERT_TRUE(device->run(acc, 0, 2, tensors, nullptr).ok());
  EXPECT_EQ(y[23], 9.5f);
  status = device->run(artifact->tables().functions[1], 1, 2, tensors, nullptr);
  EXPECT_EQ(status.message, "unexpected call");
  EXPECT_EQ(status.code, Code::Internal);
}

} // namespace
