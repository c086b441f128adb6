//===- ReduceNetworks.h - Smaller networks that still fail -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_REDUCE_REDUCENETWORKS_H
#define RNN_REDUCE_REDUCENETWORKS_H

namespace mlir::rnn {

/// Makes the pass `rnn-reduce` known by name. It shrinks a module as long as the program of its option `test`, which
/// gets a file's name, ends with 1. It drops ops, and in networks and steps: drops a layer (an op becomes an operand of
/// its type; so activations become linear) or makes it zero, drops an edge (the last term of a sum), makes a delay one
/// of one frame and without init. Only legal modules are tried. A module that is not interesting is an error.
void registerReducePass();

} // namespace mlir::rnn

#endif // RNN_REDUCE_REDUCENETWORKS_H
