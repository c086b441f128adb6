//===- Model.h - Models of the command line ---------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model on the command line becomes a program: an artifact is opened, text or
// bytecode goes through rnn-compile first.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_MODEL_H
#define RNN_TOOLS_MODEL_H

#include "rnn/Tools/CommandLine.h"
#include "rnn/Tools/Program.h"

#include <optional>
#include <string>
#include <vector>

namespace mlir::rnn::tools {

/// The options --target, --device, --threads and --emulator-order, which
/// rnn-run and rnn-train share.
struct DeviceOptions {
  /// Of a session: `cpu`, `cuda:<n>`, `emulator` or `interpreter`.
  std::string target = "cpu";
  int64_t threads = 0;
  int64_t emulatorOrder = 0;
};

/// Usage errors for unknown targets and devices.
Status readDeviceOptions(const CommandLine &line, DeviceOptions &options);

/// Of a session on the device.
Session::Options sessionOptions(const DeviceOptions &device, uint64_t seed);

/// What rnn-compile compiles for, so that a session on `target` can run it: of
/// `cuda:<n>` the chip that is there. Error 20 if there is none.
Status compilerTarget(const std::string &target, std::string &found);

/// The tables of a model that is not compiled yet: `rnn-compile --describe`.
/// Streams and every B in shapes are 1.
Status describeModel(const std::string &model, const std::vector<std::string> &options, Tables &tables);

/// Compiles .mlir and .mlirbc with these options of rnn-compile for a session's
/// target, or opens .rnnc.
Status openModel(const std::string &model, const std::string &target, const std::vector<std::string> &options,
                 Program &program);

/// The function of this name; without a name the only train step, else the only
/// network.
Status findFunction(const Tables &tables, const std::string &model, const std::string &name, const Function *&function);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_MODEL_H
