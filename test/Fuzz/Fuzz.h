//===- Fuzz.h - The entry of a fuzz target ----------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each target reads bytes as its reader does, and must return an error or succeed: it may not crash, nor write
// elsewhere. libFuzzer calls it where RNN_BUILD_FUZZERS is on; else replay.cpp, with the files of a corpus.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_TEST_FUZZ_FUZZ_H
#define RNN_TEST_FUZZ_FUZZ_H

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

inline std::string toText(const uint8_t *data, size_t size) {
  return std::string(reinterpret_cast<const char *>(data), size);
}

#endif // RNN_TEST_FUZZ_FUZZ_H
