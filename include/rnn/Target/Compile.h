//===- Compile.h - From a network's text to an artifact -------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `rnn-compile` does, as a library. Everything is given in plain options; nothing is global.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TARGET_COMPILE_H
#define RNN_TARGET_COMPILE_H

#include "rnn/Runtime/Status.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlir::rnn {

/// How to compile; the options of `rnn-compile` by the same names.
struct CompileOptions {
  /// `cpu`, `cpu:x86-64-v3`, `cpu:x86-64-v4`, `cuda:<chip>`, `emulator`, `interpreter`; none means `cpu`.
  std::vector<std::string> targets;
  int64_t streams = 1;
  /// Functions to keep; empty: all.
  std::vector<std::string> functions;
  /// What a step returns besides its losses: `gradients`, `results`.
  std::vector<std::string> keep;
  /// Overrides of the train steps: window and advance, `<optimizer>[,key=value…]`, and where the gradient is clipped,
  /// by norm or by value (0: not at all), whichever it was before.
  std::optional<std::pair<int64_t, int64_t>> bptt;
  std::string optimizer;
  std::optional<double> clipNorm, clipValue;
  /// `split` or `sequential`.
  std::string mode = "split";
  /// On a GPU, how far loops spread over blocks: `auto`, `block`, `cluster` or `grid`; and the least frames of a piece
  /// of a wavefront.
  std::string regime = "auto";
  int64_t pieceFrames = 64;
  /// What products round their operands to: `f32` (nothing) or `bf16`.
  std::string matmulPrecision = "f32";
  /// Compute in f64.
  bool f64 = false;
  /// Largest workspace in bytes for a call of one frame; 0: no limit.
  int64_t memoryLimit = 0;
  /// A folder for one file per pass, or empty.
  std::string saveTemps;
  /// Keep source locations in the artifact.
  bool debugInfo = false;
  /// Write diagnostics as one JSON object per line.
  bool jsonDiagnostics = false;
};

/// What is wanted of a compilation.
enum class CompileTo { Graph, Gradient, Schedule, Linalg, Cpu, Gpu, Binary, Describe };

/// The outcome.
struct CompileResult {
  /// The artifact, or the MLIR text or JSON that was asked for.
  std::string output;
  /// The report of docs/Interface.md, as JSON text and as aligned text; empty unless `to` is Binary or Schedule.
  std::string reportJson, reportText;
  /// After an internal error: input for `rnn-opt --run-reproducer`.
  std::string reproducer;
};

/// Compiles `text` (MLIR text or bytecode; `name` is its name in messages). Diagnostics go to stderr as they arise;
/// then the returned status has the exit code and no message. Never throws; writes no file but under `saveTemps`.
runtime::Status compile(const std::string &text, const std::string &name, const CompileOptions &options, CompileTo to,
                        CompileResult &result);

/// A module's text with passes to run on it, for `rnn-opt --run-reproducer`.
std::string formatReproducer(const std::string &module, const std::string &pipeline);

} // namespace mlir::rnn

#endif // RNN_TARGET_COMPILE_H
