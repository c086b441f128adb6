//===- NetworkHash.cpp - What network a checkpoint belongs to -------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Target/NetworkHash.h"
#include "rnn/Dialect/RNN/IR/RNN.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;

/// Flags that do not depend on the options of the tool, which OpPrintingFlags otherwise takes over.
static OpPrintingFlags getStableFlags() {
  OpPrintingFlags flags;
  flags.printGenericOpForm().useLocalScope().skipRegions(false).enableDebugInfo(false, false);
  flags.elideLargeElementsAttrs(std::numeric_limits<int64_t>::max());
  flags.elideLargeResourceString(std::numeric_limits<int64_t>::max());
  flags.printLargeElementsAttrWithHex(100);
  flags.printUniqueSSAIDs(false).printNameLocAsPrefix(false);
  return flags;
}

std::string rnn::getNetworkHash(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags = getStableFlags();
  for (Operation &op : *module.getBody()) {
    if (!isa<ParameterOp, NetworkOp>(op))
      continue;
    op.print(os, flags);
    os << "\n";
  }
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
}
