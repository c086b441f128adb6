//===- Engine.h - The scheduler of emulated kernels -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_EMULATOR_ENGINE_H
#define RNN_RUNTIME_EMULATOR_ENGINE_H

#include "Sanitizers.h"
#include "rnn/Runtime/Emulator.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <ucontext.h>
#include <vector>

namespace mlir::rnn::runtime {

constexpr uint32_t kWarpThreads = 32;
constexpr int32_t kBarriers = 16; ///< of a block

struct Block;

/// What a thread waits at.
enum class Wait { Nothing, Barrier, WarpBarrier, Shuffle, Mma, ClusterBarrier, Atomic };

/// A GPU thread.
struct Thread {
  Block *block = nullptr;
  uint32_t index = 0; ///< in its block
  Wait wait = Wait::Nothing;
  int32_t barrier = 0; ///< its number, if it is one of the block
  /// Operations of whole warps that it has come to.
  uint64_t steps = 0;
  /// Whether it has come to the cluster's barrier and not waited there yet.
  bool arrivedAtCluster = false;
  uint64_t clusterPhase = 0; ///< in which it came
  /// A shuffle: what the thread brings, which lane it reads, what it gets.
  struct Shuffle {
    uint32_t value, from, result;
  } shuffle = {};
  /// The fragments of a matrix product.
  struct Mma {
    uint32_t a[4], b[2];
    float c[4], d[4];
  } mma = {};
  LogicalThread logical;
};

/// Where the processor goes on with a stack.
struct Context {
  void *place[5];     ///< where it was left, for __builtin_longjmp
  ucontext_t start;   ///< where it begins
  bool isNew = false; ///< nobody has been there
};

/// A stack, and the thread that has it.
struct Fiber {
  Context context;
  std::unique_ptr<char[]> stack;
  Thread thread;
};

/// Where some threads meet. Everybody who comes releases memory, whoever leaves
/// acquires it, if the meeting orders memory.
struct Meeting {
  uint32_t arrived = 0;
  uint32_t expected = 0;     ///< 0: nobody is there
  Wait kind = Wait::Nothing; ///< of those who are there
  std::vector<Fiber *> waiting;
  char order = 0; ///< its address stands for the order of memory
};

struct Warp {
  /// By the mask of those who meet.
  std::map<uint32_t, Meeting> meetings;
  /// Operations of the whole warp that not all lanes have come to.
  struct Step {
    int32_t place, id, threads;
    uint32_t first; ///< the thread that came first
    uint32_t lanes; ///< how many have come
  };
  std::deque<Step> steps;
  uint64_t firstStep = 0; ///< the number of the first of them
};

struct Cluster;

using SharedMemory = std::unique_ptr<char, void (*)(void *)>;

struct Block {
  Cluster *cluster = nullptr;
  uint32_t number = 0;
  uint32_t started = 0, finished = 0;
  uint32_t stride = 1, first = 0; ///< thread number i starts as (first + i * stride) % threads
  SharedMemory shared{nullptr, std::free};
  Meeting barriers[kBarriers];
  std::vector<Warp> warps;
};

/// Blocks that start together and live until all have ended; mostly one.
struct Cluster {
  std::vector<Block> blocks;
  uint32_t finished = 0; ///< threads
  Meeting barrier;
  uint64_t phase = 0; ///< so often has the barrier opened
};

class EmulatorEngine {
public:
  explicit EmulatorEngine(uint64_t seed) : seed(seed) {}

  Status launch(const EmulatorLaunch &request);

  // What kernels call, Meetings.cpp.
  int32_t special(int32_t which) const;
  void barrier(int32_t id, uint32_t threads, int32_t place);
  void arrive(int32_t id, uint32_t threads, int32_t place);
  void warpBarrier(uint32_t mask);
  uint32_t shuffle(uint32_t mask, int32_t how, uint32_t value, uint32_t operand, uint32_t clamp);
  void mma(uint32_t *fragments, int32_t place);
  void *shared(int64_t offset) { return current->thread.block->shared.get() + offset; }
  void yield(bool writes);

  // What kernels with clusters call, Clusters.cpp.
  void arriveAtCluster(bool relaxed, int32_t place);
  void waitForCluster(int32_t place);
  void *mapa(char *address, uint32_t rank);
  void initMbarrier(char *mbarrier, uint32_t count);
  void arriveAtMbarrier(char *mbarrier, uint32_t bytes);
  bool tryWaitForMbarrier(char *mbarrier, uint32_t parity);
  void storeAsync(char *address, uint32_t value, char *mbarrier);

  /// Goes on with the code of the thread whose turn it is.
  void enterThread() { current->thread.logical.enter(); }

private:
  // Fibers and their order, Engine.cpp.
  uint32_t random(uint32_t limit);
  uint32_t blockThreads() const { return request->block[0] * request->block[1] * request->block[2]; }
  Status check() const;
  void startClusters();
  bool startThread(Fiber &fiber);
  void prepare(Fiber &fiber);
  void runThreads(Fiber &fiber);
  void endThread(Fiber &fiber);
  Fiber *newFiber();
  Fiber *takeReady();
  /// So often all threads together may give way in vain.
  uint64_t mostVainTurns() const;
  void suspend();
  /// Lets others go on for a while, sometimes.
  void giveWay(Wait wait);
  /// Ends the launch with an error; does not return.
  [[noreturn]] void fail(const std::string &text);
  std::string describeStall() const;
  static void enterFiber(unsigned low, unsigned high);

  // Meeting, Meetings.cpp.
  /// One more at a meeting of `expected`; true if that was the last.
  bool come(Meeting &meeting, Wait kind, uint32_t expected, bool orders);
  void open(Meeting &meeting, bool orders);
  void wait(Meeting &meeting, int32_t barrier = 0);
  Meeting &blockBarrier(int32_t id, uint32_t &threads, int32_t place);
  Meeting &warpMeeting(uint32_t mask);
  /// Every lane of a warp comes to the same operations in the same order.
  void step(int32_t place, int32_t id, int32_t threads);
  uint32_t lanes() const;
  Warp &warp() const { return current->thread.block->warps[current->thread.index / kWarpThreads]; }
  uint32_t lane() const { return current->thread.index % kWarpThreads; }

  // Clusters.cpp.
  struct Store {
    Block *block; ///< whose memory it is
    char *address, *mbarrier;
    uint32_t value;
  };
  /// The block of this cluster whose shared memory an object of some bytes lies in; another place is an error.
  Block &owner(const char *address, size_t bytes, const char *what);
  /// The same for an mbarrier, which must have been initialised.
  Block &mbarrierOwner(const char *mbarrier);
  void completePhase(char *mbarrier);
  void deliverStore();

  const uint64_t seed;
  uint64_t state = 0;
  const EmulatorLaunch *request = nullptr;
  std::deque<Cluster> clusters; ///< that have started and not finished
  /// Of blocks that have ended, until the launch has, where it is not reused.
  std::vector<SharedMemory> endedShared;
  uint64_t nextBlock = 0, blockCount = 0;
  uint64_t unstarted = 0; ///< threads of these clusters
  uint32_t startAt = 0;   ///< threads of this block start first
  std::deque<Fiber *> ready;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber *> idle;
  Fiber *current = nullptr;
  const Block *favoured = nullptr; ///< runs ahead
  uint64_t turns = 0;
  Context scheduler;
  uint64_t vain = 0; ///< turns since anything happened
  std::vector<Store> storesUnderWay;
  std::string problem;
  char end = 0; ///< its address stands for the order between the kernel's end and the host
};

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_EMULATOR_ENGINE_H
