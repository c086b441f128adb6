//===- CompilerVersion.h - --version of tools that contain LLVM -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TOOLS_COMPILERVERSION_H
#define RNN_TOOLS_COMPILERVERSION_H

#include "rnn/Tools/CommandLine.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::rnn::tools {

/// The four lines of --version, with the version of LLVM.
inline std::string compilerVersionText() {
  std::string text = versionText();
  size_t at = text.find("LLVM none");
  return at == std::string::npos ? text : text.replace(at, 9, "LLVM " LLVM_VERSION_STRING);
}

/// Makes LLVM's command line print them.
inline void setCompilerVersionPrinter() {
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) { os << compilerVersionText(); });
}

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_COMPILERVERSION_H
