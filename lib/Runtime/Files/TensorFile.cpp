//===- TensorFile.cpp - Named tensors in .safetensors and .npz ------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/TensorFile.h"
#include "rnn/Runtime/AtomicFile.h"

namespace mlir::rnn::runtime {
namespace {

bool endsWith(const std::string &text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

Status unknownExtension(const std::string &path) {
  return fileError("'" + path + "' has unknown extension; expected .npz or .safetensors");
}

/// A bool other than 0 and 1 would be undefined behaviour in compiled code.
Status checkBools(const std::string &path, const TensorFile &file) {
  for (const auto &[name, tensor] : file.tensors) {
    if (tensor.dtype != "i1")
      continue;
    for (std::byte value : tensor.data)
      if (value > std::byte(1))
        return fileError("'" + name + "' of '" + path + "' is bool, but has a byte of value " +
                         std::to_string(int(value)));
  }
  return Status::success();
}

} // namespace

Status checkTensorFileName(const std::string &path) {
  return endsWith(path, ".npz") || endsWith(path, ".safetensors") ? Status::success() : unknownExtension(path);
}

Status readTensorFile(const std::string &path, TensorFile &file) {
  bool npz = endsWith(path, ".npz");
  if (!npz && !endsWith(path, ".safetensors"))
    return unknownExtension(path);
  std::string bytes;
  if (Status status = readFile(path, bytes); status.failed())
    return status;
  TensorFile result;
  Status status = npz ? parseNpz(path, bytes, result) : parseSafetensors(path, bytes, result);
  if (status.failed())
    return status;
  if (status = checkBools(path, result); status.failed())
    return status;
  file = std::move(result);
  return Status::success();
}

Status writeTensorFile(const std::string &path, const TensorFile &file) {
  if (endsWith(path, ".npz"))
    return writeNpz(path, file);
  if (endsWith(path, ".safetensors"))
    return writeSafetensors(path, file);
  return unknownExtension(path);
}

} // namespace mlir::rnn::runtime
