//===- Meetings.cpp - Barriers and warps of emulated kernels --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"

#include <algorithm>
#include <cstring>

namespace mlir::rnn::runtime {

//===----------------------------------------------------------------------===//
// Meeting
//===----------------------------------------------------------------------===//

bool EmulatorEngine::come(Meeting &meeting, Wait kind, uint32_t expected, bool orders) {
  auto where = [&] { return " of block " + std::to_string(current->thread.block->number); };
  if (meeting.expected && meeting.expected != expected)
    fail("diverged: threads" + where() + " expect different numbers of threads at one barrier: " +
         std::to_string(meeting.expected) + " and " + std::to_string(expected));
  if (meeting.expected && meeting.kind != kind)
    fail("diverged: lanes of one warp" + where() + " wait for each other at different operations");
  if (orders)
    current->thread.logical.release(&meeting.order);
  meeting.kind = kind;
  meeting.expected = expected;
  return ++meeting.arrived == expected;
}

void EmulatorEngine::open(Meeting &meeting, bool orders) {
  if (orders)
    for (Fiber *fiber : meeting.waiting)
      fiber->thread.logical.acquire(&meeting.order);
  ready.insert(ready.end(), meeting.waiting.begin(), meeting.waiting.end());
  meeting.waiting.clear();
  meeting.arrived = meeting.expected = 0;
  vain = 0;
}

void EmulatorEngine::wait(Meeting &meeting, int32_t barrier) {
  current->thread.wait = meeting.kind;
  current->thread.barrier = barrier;
  meeting.waiting.push_back(current);
  suspend();
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void EmulatorEngine::step(int32_t place, int32_t id, int32_t threads) {
  Warp &mine = warp();
  Thread &thread = current->thread;
  const size_t at = thread.steps++ - mine.firstStep;
  if (at == mine.steps.size())
    mine.steps.push_back({place, id, threads, thread.index, 0});
  Warp::Step &step = mine.steps[at];
  if (step.place != place || step.id != id || step.threads != threads) {
    const std::string other =
        step.place == place ? "the same place with other operands" : "place " + std::to_string(place);
    fail("diverged: threads " + std::to_string(step.first) + " and " + std::to_string(thread.index) + " of block " +
         std::to_string(thread.block->number) + " are of one warp; the one comes to place " +
         std::to_string(step.place) + " of the kernels, the other to " + other);
  }
  if (++step.lanes == uint32_t(__builtin_popcount(lanes()))) {
    mine.steps.pop_front();
    ++mine.firstStep;
  }
}

Meeting &EmulatorEngine::blockBarrier(int32_t id, uint32_t &threads, int32_t place) {
  step(place, id, int32_t(threads));
  if (id < 0 || id >= kBarriers)
    fail("has an error: it comes to barrier " + std::to_string(id) + "; expected 0 to " +
         std::to_string(kBarriers - 1));
  if (threads > blockThreads() || threads % kWarpThreads)
    fail("has an error: barrier " + std::to_string(id) + " is for " + std::to_string(threads) + " of " +
         std::to_string(blockThreads()) + " threads; expected a multiple of " + std::to_string(kWarpThreads));
  if (threads == 0)
    threads = blockThreads();
  return current->thread.block->barriers[id];
}

void EmulatorEngine::barrier(int32_t id, uint32_t threads, int32_t place) {
  Meeting &barrier = blockBarrier(id, threads, place);
  if (!come(barrier, Wait::Barrier, threads, /*orders=*/true))
    return wait(barrier, id);
  open(barrier, /*orders=*/true);
  current->thread.logical.acquire(&barrier.order);
  giveWay(Wait::Atomic);
}

void EmulatorEngine::arrive(int32_t id, uint32_t threads, int32_t place) {
  Meeting &barrier = blockBarrier(id, threads, place);
  if (come(barrier, Wait::Barrier, threads, /*orders=*/true))
    open(barrier, /*orders=*/true);
  giveWay(Wait::Atomic);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

/// The lanes that the warp has.
uint32_t EmulatorEngine::lanes() const {
  uint32_t count = std::min(blockThreads() - current->thread.index / kWarpThreads * kWarpThreads, kWarpThreads);
  return count == kWarpThreads ? ~0u : (1u << count) - 1;
}

Meeting &EmulatorEngine::warpMeeting(uint32_t mask) {
  if (!(mask >> lane() & 1))
    fail("has an error: thread " + std::to_string(current->thread.index) + " of block " +
         std::to_string(current->thread.block->number) + " is not in the mask of the lanes that it waits for");
  return warp().meetings[mask];
}

void EmulatorEngine::warpBarrier(uint32_t mask) {
  Meeting &barrier = warpMeeting(mask);
  if (!come(barrier, Wait::WarpBarrier, uint32_t(__builtin_popcount(mask & lanes())), /*orders=*/true))
    return wait(barrier);
  open(barrier, /*orders=*/true);
  current->thread.logical.acquire(&barrier.order);
}

/// Shuffles order no memory.
uint32_t EmulatorEngine::shuffle(uint32_t mask, int32_t how, uint32_t value, uint32_t operand, uint32_t clamp) {
  const uint32_t self = lane(), all = mask & lanes();
  // PTX, "shfl.sync": bits 8-12 of the clamp operand are the mask of the segment.
  const uint32_t segment = (clamp >> 8) & 31, limit = (self & segment) | (clamp & 31 & ~segment);
  uint32_t from = self;
  bool inside = false;
  switch (how) {
  case RNN_EMULATOR_SHUFFLE_UP:
    from = self - operand;
    inside = int32_t(from) >= int32_t(limit);
    break;
  case RNN_EMULATOR_SHUFFLE_DOWN:
    from = self + operand;
    inside = from <= limit;
    break;
  case RNN_EMULATOR_SHUFFLE_BUTTERFLY:
    from = self ^ operand;
    inside = from <= limit;
    break;
  default:
    from = (self & segment) | (operand & 31 & ~segment);
    inside = from <= limit;
  }
  Meeting &meeting = warpMeeting(mask);
  Thread::Shuffle &mine = current->thread.shuffle;
  mine = {value, inside && from < kWarpThreads && (all >> from & 1) ? from : self, value};
  if (!come(meeting, Wait::Shuffle, uint32_t(__builtin_popcount(all)), /*orders=*/false)) {
    wait(meeting);
    return current->thread.shuffle.result;
  }
  // The last one hands out what everybody asked for.
  uint32_t values[kWarpThreads] = {};
  values[self] = value;
  for (Fiber *other : meeting.waiting)
    values[other->thread.index % kWarpThreads] = other->thread.shuffle.value;
  for (Fiber *other : meeting.waiting)
    other->thread.shuffle.result = values[other->thread.shuffle.from];
  mine.result = values[mine.from];
  open(meeting, /*orders=*/false);
  return mine.result;
}

/// A half of a word, widened from bf16.
static float widen(uint32_t word, unsigned half) {
  const uint32_t bits = half ? word & 0xffff0000u : word << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// PTX, "mma.sync.m16n8k16": lane 4g + i holds rows g and g + 8 of A and of C, column g of B, and of a row the columns
/// 2i, 2i + 1 (of A and B also 2i + 8, 2i + 9). Sums go along k.
static void multiply(Thread *const (&lanes)[kWarpThreads]) {
  for (unsigned lane = 0; lane < kWarpThreads; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      float sum = lanes[lane]->mma.c[i];
      for (unsigned k = 0; k < 16; ++k) {
        const unsigned inner = k % 8 / 2;
        float a = widen(lanes[row % 8 * 4 + inner]->mma.a[row / 8 + 2 * (k / 8)], k % 2);
        sum += a * widen(lanes[column * 4 + inner]->mma.b[k / 8], k % 2);
      }
      lanes[lane]->mma.d[i] = sum;
    }
}

void EmulatorEngine::mma(uint32_t *fragments, int32_t place) {
  step(place, 0, 0);
  if (lanes() != ~0u)
    fail("has an error: a matrix product in a warp of less than " + std::to_string(kWarpThreads) + " threads");
  Thread &thread = current->thread;
  std::memcpy(&thread.mma, fragments, 10 * sizeof(uint32_t));
  Meeting &meeting = warpMeeting(~0u);
  if (come(meeting, Wait::Mma, kWarpThreads, /*orders=*/false)) {
    Thread *all[kWarpThreads] = {};
    all[lane()] = &thread;
    for (Fiber *other : meeting.waiting)
      all[other->thread.index % kWarpThreads] = &other->thread;
    multiply(all);
    open(meeting, /*orders=*/false);
  } else {
    wait(meeting);
  }
  std::memcpy(fragments + 6, thread.mma.d, sizeof thread.mma.d);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

void EmulatorEngine::yield(bool writes) {
  vain = writes ? 0 : vain + 1;
  giveWay(Wait::Atomic);
}

int32_t EmulatorEngine::special(int32_t which) const {
  const Thread &thread = current->thread;
  const uint32_t cluster = request->cluster, rank = thread.block->number % cluster;
  switch (which) {
  case RNN_EMULATOR_LANEID:
    return int32_t(lane());
  case RNN_EMULATOR_WARPSIZE:
    return int32_t(kWarpThreads);
  case RNN_EMULATOR_CLUSTER_CTARANK:
    return int32_t(rank);
  case RNN_EMULATOR_CLUSTER_NCTARANK:
    return int32_t(cluster);
  default:
    break;
  }
  const unsigned axis = unsigned(which) % 3;
  auto coordinate = [axis](uint32_t index, const std::array<uint32_t, 3> &size) {
    uint32_t digits[3] = {index % size[0], index / size[0] % size[1], index / size[0] / size[1]};
    return int32_t(digits[axis]);
  };
  const std::array<uint32_t, 3> clusters = {request->grid[0] / cluster, request->grid[1], request->grid[2]};
  switch (which - int32_t(axis)) {
  case RNN_EMULATOR_TID:
    return coordinate(thread.index, request->block);
  case RNN_EMULATOR_NTID:
    return int32_t(request->block[axis]);
  case RNN_EMULATOR_CTAID:
    return coordinate(thread.block->number, request->grid);
  case RNN_EMULATOR_NCTAID:
    return int32_t(request->grid[axis]);
  case RNN_EMULATOR_CLUSTERID:
    return coordinate(thread.block->number / cluster, clusters);
  case RNN_EMULATOR_NCLUSTERID:
    return int32_t(clusters[axis]);
  case RNN_EMULATOR_CLUSTER_CTAID:
    return axis ? 0 : int32_t(rank);
  default:
    return axis ? 1 : int32_t(cluster);
  }
}

} // namespace mlir::rnn::runtime
