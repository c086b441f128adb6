//===- TensorRef.h - A borrowed tensor and its element type -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_TENSORREF_H
#define RNN_RUNTIME_TENSORREF_H

#include "rnn/Runtime/HostTensor.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mlir::rnn::runtime {

/// Element types. Compiled functions know the first six; i1 is one byte, 0
/// or 1.
enum class DType : uint8_t {
  // Of functions.
  F32,
  F64,
  I1,
  I8,
  I32,
  I64,
  // Of integer inputs.
  U8,
  I16,
  U16,
  U32,
  U64,
  // Of files: never accepted, but named in messages.
  F16,
  BF16,
  Invalid
};

/// `f32` -> F32; Invalid if unknown.
DType parseDType(std::string_view name);
/// The name as in MLIR, `u8` for unsigned.
const char *dtypeName(DType dtype);
/// Bytes per element; 0 for Invalid.
size_t dtypeSize(DType dtype);

inline bool isFloat(DType dtype) { return dtype == DType::F32 || dtype == DType::F64; }
inline bool isInteger(DType dtype) { return dtype >= DType::I1 && dtype <= DType::U64; }

/// A dense row-major tensor in memory that someone else owns.
struct TensorRef {
  DType dtype = DType::Invalid;
  int32_t rank = 0;
  const int64_t *shape = nullptr;
  void *data = nullptr;
  int32_t gpu = -1; ///< the CUDA device in whose memory the data is; -1: the host's

  bool onHost() const { return gpu < 0; }
};

/// A host tensor, borrowed: its shape and data must outlive the reference. Data
/// is null if its size is not that of the shape.
TensorRef refTo(const HostTensor &tensor);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_TENSORREF_H
