//===- Races.h - What ThreadSanitizer reports -------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_MUTATION_RACES_H
#define RNN_UNITTESTS_MUTATION_RACES_H

#include "../Conversion/NativeCode.h"

namespace mlir::rnn::test {

/// RNNRaceTests looks for races in what it compiles, RNNMutationTests for all else.
#ifdef RNN_FINDS_RACES
constexpr bool kFindsRaces = true;
#else
constexpr bool kFindsRaces = false;
#endif

/// The target of code with faults. No AddressSanitizer ends a test that looks at what a fault does.
inline HostTarget mutantTarget() {
  HostTarget target = testTarget();
  target.sanitizer = kFindsRaces ? HostSanitizer::Thread : HostSanitizer::None;
  return target;
}

/// Reports of ThreadSanitizer since the program began; none without it.
struct Races {
  int64_t races = 0;
  int64_t sameStores = 0; ///< two stores by one instruction, of which races are none
};
const Races &getRaces();

/// Nothing goes to stderr while this lives: ThreadSanitizer's reports are wanted.
class Quiet {
public:
  Quiet();
  ~Quiet();

private:
  int old;
};

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_MUTATION_RACES_H
