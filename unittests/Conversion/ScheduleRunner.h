//===- ScheduleRunner.h - Schedules as machine code in a test -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H
#define RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H

#include "NativeCode.h"
#include "rnn/Conversion/Passes.h"
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
  /// `interpret` does. Memory that nothing has written is filled with NaN, or
  /// with the bytes that `setFill` chose.
  /// Results must not depend on `variant`: the number of threads, or an order.
  /// Returns an error, or an empty text.
  std::string run(unsigned number, ScheduleOp schedule, const TensorMap &inputs, int64_t frames, int64_t variant,
                  TensorMap &outputs);

  void setFill(char byte) { fill = byte; }

protected:
  /// Where a call works: addresses of the tensors, of the workspace, and the
  /// bytes of all of them.
  struct CallMemory {
    void **tensors;
    void *workspace;
    SmallVector<MutableArrayRef<char>> bytes;
  };

  /// Reads the workspaces of the lowered functions.
  void setMemory(ModuleOp lowered);
  virtual std::string call(unsigned number, int64_t frames, int64_t variant, const CallMemory &memory) = 0;

  std::unique_ptr<NativeCode> code;
  /// Code that is no longer used stays where it is, so that no other gets its
  /// addresses: ThreadSanitizer reports a race of two addresses only once.
  SmallVector<std::unique_ptr<NativeCode>> used;

private:
  struct Sizes {
    int64_t constant, perFrame, perThread;
  };
  SmallVector<Sizes> sizes;
  char fill = char(0xff);
};

/// As machine code; a variant is a number of threads.
class CpuRunner : public ScheduleRunner {
public:
  CpuRunner(ModuleOp module, const HostTarget &target);

  /// The functions before they become machine code.
  ModuleOp getLowered() { return *lowered; }
  /// From now on this code runs, a module like that of `getLowered`. False if it does not compile.
  bool change(ModuleOp module);

  /// When threads run between two barriers.
  enum class Order {
    Together,
    Ascending, ///< one after another, by their numbers
    Descending,
  };
  void setOrder(Order value) { order = value; }

private:
  std::string call(unsigned number, int64_t frames, int64_t variant, const CallMemory &memory) override;

  OwningOpRef<ModuleOp> lowered;
  HostTarget target;
  Order order = Order::Together;
};

/// As GPU kernels on the emulator, with options of `convert-rnn-to-gpu`; a
/// variant is the seed of an order of threads.
class EmulatorRunner : public ScheduleRunner {
public:
  EmulatorRunner(ModuleOp module, const ConvertRNNToGPUOptions &options, const HostTarget &target = testTarget());

  /// The kernels in the LLVM and NVVM dialects, before they become the emulator's.
  ModuleOp getKernels() { return *kernels; }
  /// Kernels of a function, in the order of their launches.
  SmallVector<std::string> getLaunches(unsigned number) const;

  /// From now on the `launch`-th launch runs this code for its kernel, a module
  /// like that of `getKernels` whose functions of the host are gone, and is the
  /// last one. Without a module it is left out, and all others run.
  /// Launches before it run once, for the next call; later calls must have its
  /// inputs and begin with what they left. False if the code does not compile.
  bool change(unsigned launch, OwningOpRef<ModuleOp> module);

  using Memory = std::vector<std::vector<char>>;
  /// What the last call left in its tensors and its workspace.
  const Memory &getMemory() const { return after; }

private:
  struct Launch {
    std::string kernel;
    AffineMap blocks; ///< of T
    int64_t threads, cluster;
    int64_t sharedBytes; ///< besides those that kernels declare
    bool isCooperative;
  };
  /// Code for the emulator, and the shared memory that its kernels declare.
  struct Code {
    std::unique_ptr<NativeCode> code;
    int64_t sharedBytes = 0;
  };
  Code makeCode(ModuleOp module);
  static Memory copyOf(const CallMemory &memory);
  std::string call(unsigned number, int64_t frames, int64_t variant, const CallMemory &memory) override;

  SmallVector<SmallVector<Launch>> launches; ///< by function
  OwningOpRef<ModuleOp> kernels;
  HostTarget target;
  int64_t sharedBytes = 0;

  std::optional<unsigned> changed; ///< a launch
  Code changedCode;
  Memory before, after; ///< the changed launch
};

/// Bitwise equality of tensors, NaN included.
bool isSame(const TensorMap &a, const TensorMap &b);

/// The first difference between what the interpreter and a runner made of the same schedule, its states among it; also
/// if memory was written that is nobody's.
std::optional<std::string> findDifferenceOfRun(const TensorMap &expected, const TensorMap &found, double tolerance);

/// Runs every schedule over the chunks of a probe, in the interpreter and by the
/// runner with variants one and three, and returns the first difference, or an
/// empty text. Results of different variants must be equal.
std::string compareSchedules(ModuleOp module, ScheduleRunner &runner, const ProbeOptions &options, double tolerance);

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_CONVERSION_SCHEDULERUNNER_H
