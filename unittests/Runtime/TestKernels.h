//===- TestKernels.h - The artifact of the runtime's GPU tests --*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_RUNTIME_TESTKERNELS_H
#define RNN_UNITTESTS_RUNTIME_TESTKERNELS_H

#include "TestArtifact.h"

#include "rnn/Runtime/HostTensor.h"
#include "rnn/Runtime/Session.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace mlir::rnn::runtime::test {

/// What the functions of TestArtifact.h launch of EmulatedKernels.c.
inline const char *const kLaunches = R"({
  "static_shared_bytes": 64,
  "functions": [
    {"symbol": "rnn_test_step", "memory": {"constant": 16, "per_frame": 0},
     "launches": [
       {"kernel": "step", "grid": {"constant": 0, "per_frame": 1, "divisor": 1}, "block": 32}
     ]},
    {"symbol": "rnn_test_run", "memory": {"constant": 64, "per_frame": 16},
     "launches": [
       {"kernel": "acc_loop", "grid": {"constant": 11, "per_frame": 1, "divisor": 2}, "block": 2,
        "shared_bytes": 0, "cluster": 1, "cooperative": false},
       {"kernel": "acc_total", "grid": {"constant": 1, "per_frame": 0, "divisor": 1}, "block": 32}
     ]}
  ]
})";

/// The launch table with one spelling replaced by another.
inline std::string editLaunches(const std::string &from, const std::string &to) {
  std::string launches = kLaunches;
  size_t at = launches.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return launches.replace(at, from.size(), to);
}

/// An artifact of kTables and these sections.
inline std::shared_ptr<const Artifact> packSections(std::vector<Section> sections,
                                                    const std::string &tables = kTables) {
  sections.insert(sections.begin(), {SectionKind::Tables, "", tables});
  std::string file;
  EXPECT_TRUE(writeArtifact(sections, file).ok());
  std::shared_ptr<const Artifact> artifact;
  Status status = Artifact::fromMemory(file, "m.rnnc", artifact);
  EXPECT_TRUE(status.ok()) << status.str();
  return artifact;
}

/// x of `acc`, which differs in every element, for some frames.
inline TensorMap makeFrames(int64_t frames) {
  TensorMap inputs;
  HostTensor &x = inputs["x"] = makeTensor("f32", {frames, 3, 4});
  for (int64_t i = 0; i < frames * 12; ++i)
    x.as<float>()[i] = std::sin(0.7f * float(i));
  return inputs;
}

/// x of `step`.
inline TensorMap makeSteps(int64_t frames, int32_t value) {
  TensorMap inputs;
  HostTensor &x = inputs["x"] = makeTensor("i32", {frames, 3});
  for (int64_t i = 0; i < frames * 3; ++i)
    x.as<int32_t>()[i] = value;
  return inputs;
}

inline std::vector<float> floatsOf(const HostTensor &tensor) {
  const float *values = tensor.as<float>();
  return {values, values + tensor.data.size() / sizeof(float)};
}

inline std::vector<float> floatsOf(const Session &session, const char *name) {
  HostTensor tensor;
  Status status = session.get(name, tensor);
  EXPECT_TRUE(status.ok()) << status.str();
  return floatsOf(tensor);
}

} // namespace mlir::rnn::runtime::test

#endif // RNN_UNITTESTS_RUNTIME_TESTKERNELS_H
