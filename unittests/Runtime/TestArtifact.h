//===- TestArtifact.h - The artifact of the runtime's tests -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_RUNTIME_TESTARTIFACT_H
#define RNN_UNITTESTS_RUNTIME_TESTARTIFACT_H

#include "rnn/Runtime/ArtifactFormat.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace mlir::rnn::runtime::test {

/// The tables of Functions.c.
inline const char *const kTables = R"({
  "network_hash": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
  "streams": 3,
  "requires": ["sse2"],
  "variables": [
    {"name": "w", "kind": "parameter", "dtype": "f32", "shape": [4], "trainable": true,
     "init": {"kind": "uniform", "low": -0.5, "high": 0.5}},
    {"name": "opt.step", "kind": "optimizer", "dtype": "i64", "shape": [], "init": {"kind": "zeros"}}
  ],
  "functions": [
    {"name": "acc", "kind": "infer", "network": "acc", "symbol": "rnn_test_run",
     "memory": {"constant": 64, "per_thread": 0, "per_frame": 16},
     "tensors": [
       {"name": "x", "role": "argument", "rate": "frame", "dtype": "f32", "shape": [-1, 3, 4]},
       {"name": "mask", "role": "argument", "rate": "frame", "dtype": "i1", "shape": [-1, 3], "default": 1},
       {"name": "gain", "role": "argument", "rate": "static", "dtype": "f32", "shape": [], "default": 2.0},
       {"name": "w", "role": "parameter", "rate": "static", "dtype": "f32", "shape": [4]},
       {"name": "state.h", "role": "state", "dtype": "f32", "shape": [1, 3, 4], "fill": 0},
       {"name": "state.age", "role": "state", "dtype": "i64", "shape": [3], "fill": -1},
       {"name": "y", "role": "result", "rate": "frame", "dtype": "f32", "shape": [-1, 3, 4]},
       {"name": "total", "role": "result", "rate": "static", "dtype": "f64", "shape": []}
     ]},
    {"name": "step", "kind": "train", "network": "acc", "symbol": "rnn_test_step",
     "window": 8, "advance": 4, "lr": 0.25,
     "losses": [{"name": "loss", "reduction": "mean", "weight": 1.0}], "metrics": [],
     "memory": {"constant": 0, "per_thread": 8, "per_frame": 0},
     "tensors": [
       {"name": "x", "role": "argument", "rate": "frame", "dtype": "i32", "shape": [-1, 3]},
       {"name": "lr", "role": "argument", "rate": "static", "dtype": "f32", "shape": [], "default": 0.25},
       {"name": "w", "role": "parameter", "rate": "static", "dtype": "f32", "shape": [4]},
       {"name": "opt.step", "role": "optimizer", "rate": "static", "dtype": "i64", "shape": []},
       {"name": "seed", "role": "state", "dtype": "i64", "shape": [], "fill": 0},
       {"name": "loss", "role": "result", "rate": "static", "dtype": "f32", "shape": []},
       {"name": "used", "role": "result", "rate": "static", "dtype": "i64", "shape": [2]}
     ]}
  ]
})";

inline std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// An artifact of some tables and the code of Functions.c, for a target.
inline std::string packArtifact(const std::string &tables = kTables, const std::string &target = "cpu:sse2") {
  std::string code = readAll(RNN_TEST_FUNCTIONS);
  EXPECT_FALSE(code.empty());
  std::string file;
  Status status = writeArtifact({{SectionKind::Tables, "", tables},
                                 {SectionKind::HostCode, target, code},
                                 {SectionKind::Provenance, "", R"({"version": "0.1.0"})"}},
                                file);
  EXPECT_TRUE(status.ok()) << status.str();
  return file;
}

/// The tables with one spelling replaced by another.
inline std::string editTables(const std::string &from, const std::string &to) {
  std::string tables = kTables;
  size_t at = tables.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return tables.replace(at, from.size(), to);
}

} // namespace mlir::rnn::runtime::test

#endif // RNN_UNITTESTS_RUNTIME_TESTARTIFACT_H
