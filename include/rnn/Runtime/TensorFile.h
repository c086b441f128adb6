//===- TensorFile.h - Named tensors in .safetensors and .npz ----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both readers treat the file as hostile: every length, offset and product is
// checked before anything is allocated, and tensors may neither overlap nor
// leave holes.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_TENSORFILE_H
#define RNN_RUNTIME_TENSORFILE_H

#include "rnn/Runtime/HostTensor.h"
#include "rnn/Runtime/Status.h"

#include <map>
#include <string>

namespace mlir::rnn::runtime {

/// The content of a tensor file. Only .safetensors keeps the metadata.
struct TensorFile {
  std::map<std::string, HostTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a file; its extension, .npz or .safetensors, names the format.
Status readTensorFile(const std::string &path, TensorFile &file);

/// An error unless the extension names a format.
Status checkTensorFileName(const std::string &path);

/// Writes a file in the format that its extension names; whole or not at all.
Status writeTensorFile(const std::string &path, const TensorFile &file);

Status writeSafetensors(const std::string &path, const TensorFile &file);

/// Stored, not compressed, as numpy.savez writes. bf16 is an error: numpy has no
/// such type.
Status writeNpz(const std::string &path, const TensorFile &file);

/// The readers behind readTensorFile, on bytes in memory; `path` is for messages.
Status parseSafetensors(const std::string &path, const std::string &bytes, TensorFile &file);
Status parseNpz(const std::string &path, const std::string &bytes, TensorFile &file);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_TENSORFILE_H
