//===- ScheduleRunner.h - Schedules as machine code in a test -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H
#define RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H

#include "NativeCode.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Interpreter/Probe.h"

#include <memory>

namespace mlir::rnn::test {

/// All schedules of a module, compiled for a target: a clone of the module is.
/// `isValid` is false where that failed, with an error on the module's context.
class ScheduleRunner {
public:
  virtual ~ScheduleRunner() = default;
  bool isValid() const { return code && code->isLoaded(); }

  /// Runs the `number`-th schedule of the module over some frames, as
  /// `interpret` does. Memory that nothing has written is filled with NaN.
  /// Results must not depend on `variant`: the number of threads, or an order.
  /// Returns an error, or an empty text.
  std::string run(unsigned number, ScheduleOp schedule, const TensorMap &inputs, int64_t frames, int64_t variant,
                  TensorMap &outputs);

protected:
  /// Reads the workspaces of the lowered functions.
  void setMemory(ModuleOp lowered);
  virtual std::string call(unsigned number, int64_t frames, int64_t variant, void **tensors, void *workspace) = 0;

  std::unique_ptr<NativeCode> code;

private:
  struct Memory {
    int64_t constant, perFrame, perThread;
  };
  SmallVector<Memory> memory;
};

/// As machine code; a variant is a number of threads.
class CpuRunner : public ScheduleRunner {
public:
  CpuRunner(ModuleOp module, const HostTarget &target);

private:
  std::string call(unsigned number, int64_t frames, int64_t variant, void **tensors, void *workspace) override;
};

/// As GPU kernels on the emulator, with a regime of `convert-rnn-to-gpu`; a
/// variant is the seed of an order of threads.
class EmulatorRunner : public ScheduleRunner {
public:
  EmulatorRunner(ModuleOp module, StringRef regime);

private:
  struct Launch {
    std::string kernel;
    AffineMap blocks; ///< of T
    int64_t threads, cluster;
    bool isCooperative;
  };
  std::string call(unsigned number, int64_t frames, int64_t variant, void **tensors, void *workspace) override;

  SmallVector<SmallVector<Launch>> launches; ///< by function
  int64_t sharedBytes = 0;
};

/// Runs every schedule over the chunks of a probe, in the interpreter and by the
/// runner with variants one and three, and returns the first difference, or an
/// empty text. Results of different variants must be equal.
std::string compareSchedules(ModuleOp module, ScheduleRunner &runner, const ProbeOptions &options, double tolerance);

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H
