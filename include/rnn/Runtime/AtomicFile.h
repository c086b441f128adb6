//===- AtomicFile.h - Files that are read and written whole -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_ATOMICFILE_H
#define RNN_RUNTIME_ATOMICFILE_H

#include "rnn/Runtime/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// Reads a whole regular file.
Status readFile(const std::string &path, std::string &bytes);

/// Replaces `path` by the pieces, in order: after a crash at any moment the old
/// file or the new one is there, never a part. Writes a temporary file in the
/// same folder, syncs it, renames it and syncs the folder; a failed sync is an
/// error. On failure nothing is left behind.
/// A symbolic link is followed; a device or a pipe is written to as it is.
Status writeFileAtomically(const std::string &path, const std::vector<std::string_view> &pieces);

/// Same, with one piece.
inline Status writeFileAtomically(const std::string &path, std::string_view bytes) {
  return writeFileAtomically(path, std::vector<std::string_view>{bytes});
}

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_ATOMICFILE_H
