//===- DeepInput.h - Files that MLIR's parser cannot follow -----*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_DEEPINPUT_H
#define RNN_TOOLS_DEEPINPUT_H

#include "rnn/Dialect/RNN/IR/Nesting.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::rnn::tools {

/// For tools whose input upstream's main function reads: true, with a message,
/// if a file among the words of the command line, or one that is the standard
/// input, is nested too deeply for the parser. What comes through a pipe is not
/// looked at.
inline bool refuseDeepInput(int argc, char **argv) {
  auto isDeep = [](llvm::StringRef name, llvm::sys::fs::file_t file) {
    llvm::sys::fs::file_status status;
    if (llvm::sys::fs::status(file, status) || status.type() != llvm::sys::fs::file_type::regular_file)
      return false;
    auto buffer = llvm::MemoryBuffer::getOpenFile(file, name, status.getSize());
    if (!buffer || isBytecode((*buffer)->getMemBufferRef()))
      return false;
    std::optional<TextPosition> place = findTooDeepNesting((*buffer)->getBuffer());
    if (place)
      llvm::errs() << name << ":" << place->line << ":" << place->column << ": error: nesting deeper than "
                   << kMaxNesting << "\n";
    return place.has_value();
  };
  if (isDeep("<stdin>", llvm::sys::fs::getStdinHandle()))
    return true;
  for (llvm::StringRef word : llvm::ArrayRef(argv, argc).drop_front()) {
    if (word.starts_with("-"))
      continue;
    auto file = llvm::sys::fs::openNativeFileForRead(word);
    if (!file) {
      llvm::consumeError(file.takeError());
      continue;
    }
    const bool isRefused = isDeep(word, *file);
    llvm::sys::fs::closeFile(*file);
    if (isRefused)
      return true;
  }
  return false;
}

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_DEEPINPUT_H
