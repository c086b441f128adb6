//===- LaunchTable.h - What functions launch on a GPU -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The launch table of docs/Artifact.md.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_LAUNCHTABLE_H
#define RNN_RUNTIME_LAUNCHTABLE_H

#include "rnn/Runtime/Tables.h"

#include <cstdint>
#include <vector>

namespace mlir::rnn::runtime {

/// A number of blocks: ceil((perFrame * T + constant) / divisor).
struct BlockCount {
  int64_t constant = 1, perFrame = 0, divisor = 1;

  /// The number for T = frames >= 1, at most the 2^31 - 1 that a grid can have.
  uint32_t at(int64_t frames) const;
};

/// Launches that follow one another in a list and may be cut into pieces of
/// frames, which overlap.
struct Wavefront {
  uint64_t older = 0;       ///< frames of its domain besides T
  uint64_t pieceFrames = 1; ///< of a piece, at least
  uint32_t mostPieces = 1;
  size_t first = 0, count = 0; ///< its launches
};

/// One launch of a kernel. All kernels take the workspace, the array of
/// tensors and T; those of a wavefront also the first frame and how many frames
/// to compute.
struct Launch {
  std::string kernel;
  BlockCount grid;
  uint32_t block = 1;       ///< threads of a block
  uint32_t cluster = 1;     ///< blocks of a cluster
  uint32_t sharedBytes = 0; ///< dynamic shared memory of a block
  /// The grid is exact and all of it is resident.
  bool cooperative = false;
  /// The grid is exact. Any launch that is not does the same work with fewer
  /// blocks.
  bool exact = false;

  static constexpr size_t kNoWavefront = SIZE_MAX;
  size_t wavefront = kNoWavefront; ///< number of the list's wavefront that it is of
  bool reversed = false;           ///< the last frames are the first piece
  /// Positions among the launches of the wavefront: a piece comes after the same
  /// piece of those, and behind the piece before of these.
  std::vector<uint32_t> after, behind;
};

/// The flag of a call in which a block waited in vain for another, and the bit from which on there stands 1 more than n
/// of the kernel `<function>_k<n>`.
constexpr uint32_t kStalled = 4;
constexpr uint32_t kStalledKernelShift = 8;

/// What a function launches, one after another but for wavefronts; `memory` has no
/// perThread.
struct LaunchList {
  MemoryPlan memory;
  /// Where the flags of a call are in its workspace, an i32: `kStalled` tells
  /// that a block waited in vain for another. Nothing where no block waits.
  std::optional<MemoryPlan> flags;
  std::vector<Launch> launches;
  std::vector<Wavefront> wavefronts;
};

struct LaunchTable {
  /// Shared memory that the emulator's kernels declare, per block.
  uint32_t staticSharedBytes = 0;
  /// One list per function, in the order of the tables.
  std::vector<LaunchList> lists;
};

/// Parses and checks a launch table: every function of the tables has a list,
/// every number is in range. `artifact` is the name in messages.
Status parseLaunchTable(std::string_view json, const Tables &tables, const std::string &artifact, LaunchTable &table);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_LAUNCHTABLE_H
