//===- AssignSchedule.cpp - How loops run, as attributes --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How a loop is dealt out depends on where its operands lie, what outlives a
// frame, and what a frame computes at all. So a copy of the module is converted,
// and what was chosen there is written down here.
//
//===----------------------------------------------------------------------===//

#include "GpuEmitter.h"
#include "rnn/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::loops;

namespace mlir::rnn {
#define GEN_PASS_DEF_ASSIGNSCHEDULE
#include "rnn/Conversion/Passes.h.inc"
} // namespace mlir::rnn

namespace {

struct AssignSchedule : rnn::impl::AssignScheduleBase<AssignSchedule> {
  using AssignScheduleBase::AssignScheduleBase;

  void runOnOperation() override {
    IRMapping copies;
    OwningOpRef<ModuleOp> copy = cast<ModuleOp>(getOperation()->clone(copies));
    llvm::DenseMap<Operation *, LoopAttr> chosen;
    auto record = [&](Operation *region, const LoopDescription &description) {
      chosen[region] = LoopAttr::get(&getContext(), description.regime, description.units, description.streams);
    };
    ConvertRNNToGPUOptions options;
    options.multiprocessors = multiprocessors;
    options.clusterBlocks = clusterBlocks;
    options.sharedBytes = sharedBytes;
    if (failed(convertToKernels(*copy, options, record)))
      return signalPassFailure();
    getOperation().walk([&](RecurrentOp loop) {
      if (!loop.getLoopAttr())
        loop.setLoopAttr(chosen.lookup(copies.lookup(loop.getOperation())));
    });
  }
};

} // namespace
