//===- Report.h - What became of the network ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_LIB_TARGET_COMPILE_REPORT_H
#define RNN_LIB_TARGET_COMPILE_REPORT_H

#include "mlir/IR/Remarks.h"
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Target/Compile.h"
#include "rnn/Target/GPU/DeviceCode.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::rnn {

/// The remarks of a compilation, for its report. Lives longer than the context that holds the engine.
class RemarkLog {
public:
  /// One remark: its category, name and function, and its arguments by key (`Reason`, `M` …).
  struct Entry {
    std::string category, name, function;
    llvm::StringMap<std::string> arguments;
  };

  std::unique_ptr<remark::detail::RemarkEngine> createEngine();
  ArrayRef<Entry> getEntries() const { return entries; }
  void add(const remark::detail::Remark &remark);

private:
  std::vector<Entry> entries;
};

/// What the report says of device code.
class DeviceReport {
public:
  void add(StringRef target, const DeviceCode &code);
  /// Loops over frames, and which overlap, by the remarks on their kernels.
  void addLoops(StringRef target, ArrayRef<RemarkLog::Entry> remarks);

  /// Launches of the function `symbol`, on the first device target; 1 on a CPU, whose threads enter it once.
  int64_t getLaunches(StringRef symbol) const;
  /// Entries of `device_code`, `kernels`, `loops` and `wavefronts`.
  llvm::json::Array code, kernels, loops, wavefronts;

private:
  llvm::StringMap<int64_t> launches; ///< by symbol
};

/// Writes the report of a scheduled module into `result`: of its first train step, or else of its first function.
/// Sizes and counts only, no times, so that equal inputs give equal bytes.
void buildReport(ModuleOp module, const CompileOptions &options, const RemarkLog &remarks, const DeviceReport &device,
                 CompileResult &result);

} // namespace mlir::rnn

#endif // RNN_LIB_TARGET_COMPILE_REPORT_H
