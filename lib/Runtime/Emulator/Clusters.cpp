//===- Clusters.cpp - Clusters of blocks of emulated kernels --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"

namespace mlir::rnn::runtime {

namespace {

/// The 8 bytes of an mbarrier object; all ones where nobody has made one.
struct Mbarrier {
  uint16_t phase;   ///< modulo 2
  uint16_t count;   ///< arrivals that a phase needs
  int16_t pending;  ///< arrivals that this phase still needs
  int16_t transfer; ///< words that this phase still needs; below zero where they come first
};
static_assert(sizeof(Mbarrier) == 8);

} // namespace

static Mbarrier &objectAt(char *address) { return *reinterpret_cast<Mbarrier *>(address); }

Block &EmulatorEngine::owner(const char *address, size_t bytes, const char *what) {
  for (Block &block : current->thread.block->cluster->blocks) {
    const char *begin = block.shared.get(), *end = begin + request->sharedBytes;
    if (address < begin || address >= end || bytes > size_t(end - address))
      continue;
    if (block.finished == blockThreads())
      fail(std::string("has an error: ") + what + " lies in block " + std::to_string(block.number) +
           ", which has ended");
    return block;
  }
  fail(std::string("has an error: ") + what + " of thread " + std::to_string(current->thread.index) + " of block " +
       std::to_string(current->thread.block->number) + " does not lie in the cluster's shared memory");
}

//===----------------------------------------------------------------------===//
// The barrier of a cluster
//===----------------------------------------------------------------------===//

void EmulatorEngine::arriveAtCluster(bool relaxed, int32_t place) {
  step(place, 0, 0);
  Thread &thread = current->thread;
  Cluster &cluster = *thread.block->cluster;
  if (thread.arrivedAtCluster)
    fail("has an error: thread " + std::to_string(thread.index) + " of block " + std::to_string(thread.block->number) +
         " comes to the cluster's barrier again without waiting there");
  thread.arrivedAtCluster = true;
  thread.clusterPhase = cluster.phase;
  if (come(cluster.barrier, Wait::ClusterBarrier, uint32_t(cluster.blocks.size()) * blockThreads(), !relaxed)) {
    ++cluster.phase;
    open(cluster.barrier, /*orders=*/true);
  }
  giveWay(Wait::Atomic);
}

void EmulatorEngine::waitForCluster(int32_t place) {
  step(place, 0, 0);
  Thread &thread = current->thread;
  Cluster &cluster = *thread.block->cluster;
  if (!thread.arrivedAtCluster)
    fail("has an error: thread " + std::to_string(thread.index) + " of block " + std::to_string(thread.block->number) +
         " waits at the cluster's barrier without having come there");
  thread.arrivedAtCluster = false;
  if (thread.clusterPhase == cluster.phase)
    wait(cluster.barrier);
  else
    thread.logical.acquire(&cluster.barrier.order);
}

void *EmulatorEngine::mapa(char *address, uint32_t rank) {
  Block &from = owner(address, 1, "the operand of mapa");
  std::vector<Block> &blocks = from.cluster->blocks;
  if (rank >= blocks.size())
    fail("has an error: mapa to block " + std::to_string(rank) + " of a cluster of " + std::to_string(blocks.size()));
  return blocks[rank].shared.get() + (address - from.shared.get());
}

//===----------------------------------------------------------------------===//
// Mbarriers
//===----------------------------------------------------------------------===//

void EmulatorEngine::initMbarrier(char *mbarrier, uint32_t count) {
  owner(mbarrier, sizeof(Mbarrier), "an mbarrier");
  if (count == 0 || count > INT16_MAX)
    fail("has an error: an mbarrier for " + std::to_string(count) + " arrivals");
  objectAt(mbarrier) = {0, uint16_t(count), int16_t(count), 0};
}

Block &EmulatorEngine::mbarrierOwner(const char *mbarrier) {
  Block &block = owner(mbarrier, sizeof(Mbarrier), "an mbarrier");
  if (reinterpret_cast<const Mbarrier *>(mbarrier)->count > INT16_MAX)
    fail("has an error: thread " + std::to_string(current->thread.index) + " of block " +
         std::to_string(current->thread.block->number) + " uses an mbarrier of block " + std::to_string(block.number) +
         " before it is initialised");
  return block;
}

void EmulatorEngine::completePhase(char *mbarrier) {
  Mbarrier &object = objectAt(mbarrier);
  if (object.pending || object.transfer)
    return;
  object.phase ^= 1;
  object.pending = int16_t(object.count);
  vain = 0;
}

void EmulatorEngine::arriveAtMbarrier(char *mbarrier, uint32_t bytes) {
  giveWay(Wait::Atomic);
  mbarrierOwner(mbarrier);
  Mbarrier &object = objectAt(mbarrier);
  const int64_t transfer = int64_t(object.transfer) + bytes / sizeof(uint32_t);
  if (bytes % sizeof(uint32_t) || transfer > INT16_MAX)
    fail("has an error: an mbarrier that expects " + std::to_string(bytes) + " bytes");
  if (object.pending <= 0)
    fail("has an error: more arrivals at an mbarrier than the " + std::to_string(object.count) + " it is for");
  current->thread.logical.release(mbarrier);
  object.transfer = int16_t(transfer);
  --object.pending;
  completePhase(mbarrier);
}

bool EmulatorEngine::tryWaitForMbarrier(char *mbarrier, uint32_t parity) {
  yield(/*writes=*/false);
  mbarrierOwner(mbarrier);
  if (objectAt(mbarrier).phase == parity)
    return false;
  current->thread.logical.acquire(mbarrier);
  return true;
}

void EmulatorEngine::storeAsync(char *address, uint32_t value, char *mbarrier) {
  Block &block = owner(address, sizeof value, "the target of an asynchronous store");
  if (&mbarrierOwner(mbarrier) != &block)
    fail("has an error: an asynchronous store and its mbarrier lie in different blocks");
  // Whoever waits for the mbarrier sees this word, and nothing else of this thread.
  current->thread.logical.write(address);
  current->thread.logical.release(mbarrier);
  storesUnderWay.push_back({&block, address, mbarrier, value});
  vain = 0;
  giveWay(Wait::Atomic);
}

/// Stores arrive in any order.
void EmulatorEngine::deliverStore() {
  Store &last = storesUnderWay.back();
  if (seed)
    std::swap(storesUnderWay[random(uint32_t(storesUnderWay.size()))], last);
  const Store store = last;
  storesUnderWay.pop_back();
  if (store.block->finished == blockThreads()) {
    problem = "has an error: an asynchronous store goes to block " + std::to_string(store.block->number) +
              ", which has ended";
    return;
  }
  *reinterpret_cast<uint32_t *>(store.address) = store.value;
  --objectAt(store.mbarrier).transfer;
  completePhase(store.mbarrier);
  vain = 0;
}

} // namespace mlir::rnn::runtime
