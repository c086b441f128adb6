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

/// All schedules of a module, compiled for a target.
class ScheduleRunner {
public:
  /// Compiles a clone of the module. `isValid` is false where that failed, with
  /// an error on the module's context.
  ScheduleRunner(ModuleOp module, const HostTarget &target);
  bool isValid() const { return valid; }

  /// Runs the `number`-th schedule of the module over some frames, as
  /// `interpret` does. Memory that nothing has written is filled with NaN.
  void run(unsigned number, ScheduleOp schedule, const TensorMap &inputs, int64_t frames, int64_t threads,
           TensorMap &outputs);

private:
  struct Memory {
    int64_t constant, perFrame, perThread;
  };
  std::unique_ptr<NativeCode> code;
  SmallVector<Memory> memory;
  bool valid = false;
};

/// Runs every schedule over the chunks of a probe, in the interpreter and as
/// machine code with one and three threads, and returns the first difference,
/// or an empty text. Results of different thread counts must be equal.
std::string compareSchedules(ModuleOp module, const HostTarget &target, const ProbeOptions &options, double tolerance);

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H
