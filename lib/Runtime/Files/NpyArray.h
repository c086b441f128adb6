//===- NpyArray.h - The .npy format -----------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_RUNTIME_FILES_NPYARRAY_H
#define RNN_LIB_RUNTIME_FILES_NPYARRAY_H

#include "rnn/Runtime/HostTensor.h"

#include <string>

namespace mlir::rnn::runtime {

/// Reads the bytes of a .npy file; an array in Fortran order is transposed.
/// On failure `reason` completes the sentence "'<name>' …".
bool parseNpy(const std::string &bytes, HostTensor &tensor, std::string &reason);

/// All of a .npy file but its data. False if numpy lacks the dtype.
bool npyHeader(const HostTensor &tensor, std::string &header);

} // namespace mlir::rnn::runtime

#endif // RNN_LIB_RUNTIME_FILES_NPYARRAY_H
