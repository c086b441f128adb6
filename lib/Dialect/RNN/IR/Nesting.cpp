//===- Nesting.cpp - A look at text before it is parsed -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Dialect/RNN/IR/Nesting.h"
#include "llvm/ADT/SmallVector.h"

using namespace mlir::rnn;

std::optional<TextPosition> mlir::rnn::findTooDeepNesting(llvm::StringRef text) {
  llvm::SmallVector<char, 64> open;
  size_t lineBegin = 0, signs = 0;
  unsigned line = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool isSign = false;
    switch (c) {
    case '\n':
      ++line;
      lineBegin = i + 1;
      continue;
    case ' ':
    case '\t':
    case '\r':
      continue;
    case '"':
      // A string ends at a quote or at the end of the line.
      for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i)
        if (text[i] == '\\')
          ++i;
      if (i < text.size() && text[i] == '\n')
        --i;
      break;
    case '/':
      if (i + 1 < text.size() && text[i + 1] == '/') {
        while (i + 1 < text.size() && text[i + 1] != '\n')
          ++i;
        continue;
      }
      break;
    case '(':
    case '[':
    case '{':
    case '<':
      open.push_back(c);
      break;
    case ')':
    case ']':
    case '}':
      // What is left open inside is an error, and the parser's to tell.
      while (!open.empty() && open.back() == '<')
        open.pop_back();
      if (!open.empty())
        open.pop_back();
      break;
    case '>':
      if (!open.empty() && open.back() == '<' && text[i - 1] != '-')
        open.pop_back();
      break;
    case '-':
      isSign = true;
      break;
    default:
      break;
    }
    // An affine expression may have any number of signs, each a level of the parser's recursion.
    signs = isSign ? signs + 1 : 0;
    if (open.size() > kMaxNesting || signs > kMaxNesting)
      return TextPosition{line, static_cast<unsigned>(i - lineBegin + 1)};
  }
  return std::nullopt;
}
