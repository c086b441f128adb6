//===- FloatState.h - How compiled code rounds ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_RUNTIME_FLOATSTATE_H
#define RNN_LIB_RUNTIME_FLOATSTATE_H

namespace mlir::rnn::runtime {

/// Floating point as compiled code expects it: round to nearest, subnormals
/// kept, whatever the calling thread had set.
class DefaultFloatState {
public:
#if defined(__x86_64__)
  DefaultFloatState() : saved(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(0x1f80); }
  ~DefaultFloatState() { __builtin_ia32_ldmxcsr(saved); }

private:
  unsigned saved;
#endif
};

} // namespace mlir::rnn::runtime

#endif // RNN_LIB_RUNTIME_FLOATSTATE_H
