//===- Mutants.h - Kernels with one fault each ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_MUTATION_MUTANTS_H
#define RNN_UNITTESTS_MUTATION_MUTANTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>

namespace mlir::rnn::test {

/// The faults that are put into kernels and into functions for the CPU.
enum class Fault {
  Barrier,  ///< a barrier, of a block or a cluster, is gone, or that of a cluster is one of each block
  Warp,     ///< a barrier of a warp is gone
  Wait,     ///< a wait for what another block sends is over at once
  Expect,   ///< an mbarrier does not learn what ends its phase, or not rightly; a block counts twice
  Block,    ///< what is sent goes to another block of the cluster
  Relaxed,  ///< an atomic access is an ordinary one, or orders no others
  Clamp,    ///< an index is cut off one too early
  Mask,     ///< one lane or element too few does something
  Parity,   ///< a use of the slot of even and odd frames has the other slot, or a test of a phase the other phase
  Fragment, ///< a product takes the neighbour of an element of shared memory
  Shuffle,  ///< a shuffle gets its value from another lane
  Sentinel, ///< a result that looks like a word that is not there yet is published
  Bound,    ///< a loop begins one step too late or ends one too early, or a branch is taken one too early
  Place,    ///< an element, a frame or a thread's share begins one too early
  Stride,   ///< rows lie too near to each other, or a share is one item too small
  Sum,      ///< an accumulator does not begin at zero, or two are swapped
  Choice,   ///< a value is taken where another one was to take its place
};

/// A fault in a kernel of the LLVM and NVVM dialects, or in a function of scf, arith, memref and vector.
struct Mutant {
  Fault fault;
  std::string name;                        ///< the fault and its number in the function: `barrier 2`
  std::function<void(Operation *)> change; ///< of the operation
  unsigned operation;                      ///< its number in the function, in the order of the text
};

/// All faults of a kernel that one change of one operation makes. Clamps and masks
/// with the same constant in one block of the kernel are one, the first.
SmallVector<Mutant> listMutants(LLVM::LLVMFuncOp kernel);

/// A module with that kernel alone, and with the fault if one is given; `kernels` stays.
OwningOpRef<ModuleOp> makeMutant(ModuleOp kernels, StringRef kernel, const Mutant *mutant = nullptr);

/// All faults of a function for the CPU, as `convert-rnn-to-cpu` makes it, that one change of one operation makes; of
/// those of one kind in a block only some.
SmallVector<Mutant> listMutants(func::FuncOp function);

/// A copy of a module whose only function for the CPU has the fault.
OwningOpRef<ModuleOp> makeMutant(ModuleOp module, const Mutant &mutant);

/// A kernel of a module.
LLVM::LLVMFuncOp findKernel(ModuleOp kernels, StringRef name);

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_MUTATION_MUTANTS_H
