//===- Engine.cpp - The scheduler of emulated kernels ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fiber runs GPU threads one after another until one of them has to wait; the
// scheduler then lets another fiber go on, or starts the next threads on a new
// one. A kernel whose threads never wait needs a single fiber.
//
//===----------------------------------------------------------------------===//

#include "Engine.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace mlir::rnn::runtime {

/// What a kernel holds in registers on a GPU lies on the stack here.
static constexpr size_t kStackBytes = 1 << 20;
/// Blocks of a launch that is not cooperative which run at the same time.
static constexpr uint32_t kBlocksAtOnce = 4;
static constexpr uint32_t kMostThreads = 1024, kMostBlocksOfCluster = 16;
/// So often may every thread give way in vain before they are called stalled.
static constexpr uint64_t kVainTurns = 2000;
/// A block runs ahead for so many turns, and so many of its threads start one after another.
static constexpr uint64_t kFavouredTurns = 256;
/// One of so many turns starts a thread though others could go on, by the seed: blocks start together, or late.
static constexpr uint32_t kStartTurns[] = {64, 2};
/// One of so many turns brings an asynchronous store to its place, by the seed.
static constexpr uint32_t kStoreTurns[] = {4, 1, 4, 64};

/// The engine whose kernel runs on this thread.
static thread_local EmulatorEngine *running = nullptr;

//===----------------------------------------------------------------------===//
// Fibers
//===----------------------------------------------------------------------===//

uint32_t EmulatorEngine::random(uint32_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return uint32_t((state >> 11) % limit);
}

void EmulatorEngine::startClusters() {
  const uint64_t atOnce =
      request->cooperative ? blockCount / request->cluster : std::max(kBlocksAtOnce / request->cluster, 1u);
  const uint32_t threads = blockThreads();
  while (clusters.size() < atOnce && nextBlock < blockCount) {
    Cluster &cluster = clusters.emplace_back();
    cluster.blocks.resize(request->cluster);
    unstarted += uint64_t(request->cluster) * threads;
    for (Block &block : cluster.blocks) {
      block.cluster = &cluster;
      block.number = uint32_t(nextBlock++);
      block.warps.resize((threads + kWarpThreads - 1) / kWarpThreads);
      void *memory = nullptr;
      if (::posix_memalign(&memory, 128, request->sharedBytes) != 0) {
        problem = "has no memory: a block needs " + std::to_string(request->sharedBytes) + " bytes of shared memory";
        unstarted = 0;
        return;
      }
      block.shared.reset(static_cast<char *>(memory));
      std::memset(memory, 0xff, request->sharedBytes);
      if (seed) {
        block.first = random(threads);
        // An odd stride that is prime to the number of threads visits all.
        block.stride = 2 * random(threads) + 1;
        while (std::gcd(block.stride, threads) != 1)
          block.stride += 2;
      }
    }
  }
}

/// Gives a fiber the next thread of some block; false if all have started.
bool EmulatorEngine::startThread(Fiber &fiber) {
  if (unstarted == 0)
    return false;
  const uint32_t threads = blockThreads();
  if (seed && (seed % 2 || unstarted % kFavouredTurns == 0))
    startAt = random(uint32_t(clusters.size() * request->cluster));
  const size_t offset = startAt;
  --unstarted;
  for (size_t i = 0; i < clusters.size(); ++i) {
    std::vector<Block> &blocks = clusters[(i + offset) % clusters.size()].blocks;
    for (size_t j = 0; j < blocks.size(); ++j) {
      Block &block = blocks[(j + offset) % blocks.size()];
      if (block.started == threads)
        continue;
      uint64_t index = (block.first + uint64_t(block.started++) * block.stride) % threads;
      fiber.thread = {&block, uint32_t(index)};
      fiber.thread.logical.start();
      return true;
    }
  }
  return false;
}

/// Leaves one stack and goes on with another. swapcontext would call the kernel for the mask of signals, which takes
/// longer than all else that happens between two turns, and sanitizers forget what they know of a stack whenever it
/// comes to it.
[[gnu::noinline, gnu::no_sanitize_address]] static void switchTo(Context &from, Context &to) {
  if (__builtin_setjmp(from.place))
    return;
  if (to.isNew) {
    to.isNew = false;
    setcontext(&to.start);
  }
  __builtin_longjmp(to.place, 1);
}

void EmulatorEngine::enterFiber(unsigned low, unsigned high) {
  auto *fiber = reinterpret_cast<Fiber *>(uintptr_t(low) | uintptr_t(high) << 32);
  running->runThreads(*fiber);
}

void EmulatorEngine::runThreads(Fiber &fiber) {
  while (true) {
    enterThread();
    request->entry(request->arguments);
    LogicalThread::enterEngine();
    endThread(fiber);
    // Now and then somebody else's turn comes between two threads.
    if (!kReusesMemory || (seed && random(4) == 0) || !startThread(fiber)) {
      idle.push_back(&fiber);
      switchTo(fiber.context, scheduler);
    }
  }
}

void EmulatorEngine::endThread(Fiber &fiber) {
  vain = 0;
  fiber.thread.logical.release(&end);
  fiber.thread.logical.end();
  Block &block = *fiber.thread.block;
  Cluster &cluster = *block.cluster;
  ++block.finished;
  if (++cluster.finished != cluster.blocks.size() * blockThreads()) {
    fiber.thread.block = nullptr;
    return;
  }
  for (const Store &store : storesUnderWay)
    if (store.block->cluster == &cluster)
      fail("has an error: an asynchronous store goes to block " + std::to_string(store.block->number) +
           ", which has ended");
  fiber.thread.block = nullptr;
  // Threads point to clusters of the deque, whose addresses stay.
  while (!clusters.empty() && clusters.front().finished == clusters.front().blocks.size() * blockThreads()) {
    if (!kReusesMemory)
      for (Block &ended : clusters.front().blocks)
        endedShared.push_back(std::move(ended.shared));
    clusters.pop_front();
  }
  startClusters();
}

void EmulatorEngine::prepare(Fiber &fiber) {
  fiber.stack.reset(new char[kStackBytes]);
  ucontext_t &start = fiber.context.start;
  getcontext(&start);
  start.uc_stack.ss_sp = fiber.stack.get();
  start.uc_stack.ss_size = kStackBytes;
  start.uc_link = nullptr;
  fiber.context.isNew = true;
  auto address = reinterpret_cast<uintptr_t>(&fiber);
  makecontext(&start, reinterpret_cast<void (*)()>(enterFiber), 2, unsigned(address), unsigned(address >> 32));
}

Fiber *EmulatorEngine::newFiber() {
  if (unstarted == 0)
    return nullptr;
  const bool isNew = idle.empty();
  if (isNew)
    idle.push_back(fibers.emplace_back(std::make_unique<Fiber>()).get());
  Fiber *fiber = idle.back();
  // The stack is there before the thread, as ThreadSanitizer sees it.
  if (!fiber->stack || !kReusesMemory)
    prepare(*fiber);
  startThread(*fiber);
  idle.pop_back();
  return fiber;
}

Fiber *EmulatorEngine::takeReady() {
  if (ready.empty())
    return nullptr;
  // Before they are called stalled, all get their turn: the one who can go on may be of a block out of favour.
  if (seed && vain < mostVainTurns() / 2) {
    const auto count = uint32_t(ready.size());
    uint32_t at = random(count);
    if (seed % 2 == 0) {
      if (turns++ % kFavouredTurns == 0)
        favoured = ready[at]->thread.block;
      for (int i = 0; i < 8 && ready[at]->thread.block != favoured; ++i)
        at = random(count);
    }
    std::swap(ready.front(), ready[at]);
  }
  Fiber *fiber = ready.front();
  ready.pop_front();
  return fiber;
}

uint64_t EmulatorEngine::mostVainTurns() const { return kVainTurns * std::max<uint64_t>(fibers.size(), 64); }

void EmulatorEngine::suspend() { switchTo(current->context, scheduler); }

void EmulatorEngine::giveWay(Wait wait) {
  // A thread sometimes runs far ahead of the others.
  if (seed && random(4) != 0)
    return;
  current->thread.wait = wait;
  ready.push_back(current);
  suspend();
}

void EmulatorEngine::fail(const std::string &text) {
  if (problem.empty())
    problem = text;
  while (true)
    suspend();
}

//===----------------------------------------------------------------------===//
// A launch
//===----------------------------------------------------------------------===//

static std::string name(Wait wait, int32_t barrier) {
  switch (wait) {
  case Wait::Barrier:
    return "barrier " + std::to_string(barrier);
  case Wait::WarpBarrier:
    return "warp barrier";
  case Wait::Shuffle:
    return "shuffle";
  case Wait::Mma:
    return "matrix product";
  case Wait::ClusterBarrier:
    return "cluster barrier";
  case Wait::Atomic:
    return "atomic access";
  case Wait::Nothing:
    break;
  }
  return "nothing";
}

/// Who waits where, by the first block that does: `block 0: 3 of 256 threads wait at barrier 1, the first is thread 7`.
std::string EmulatorEngine::describeStall() const {
  for (const Cluster &cluster : clusters)
    for (const Block &block : cluster.blocks) {
      std::map<std::pair<Wait, int32_t>, std::pair<uint32_t, uint32_t>> places; // count, first thread
      for (const std::unique_ptr<Fiber> &fiber : fibers) {
        const Thread &thread = fiber->thread;
        if (thread.block != &block || thread.wait == Wait::Nothing)
          continue;
        auto &[count, first] = places.try_emplace({thread.wait, thread.barrier}, 0, thread.index).first->second;
        ++count;
        first = std::min(first, thread.index);
      }
      if (places.empty())
        continue;
      std::string text = "block " + std::to_string(block.number) + ": ";
      for (const auto &[place, who] : places)
        text += std::to_string(who.first) + " of " + std::to_string(blockThreads()) + " threads wait at " +
                name(place.first, place.second) + ", the first is thread " + std::to_string(who.second) + "; ";
      return text + std::to_string(block.finished) + " have ended";
    }
  return "no thread waits";
}

Status EmulatorEngine::check() const {
  auto refuse = [&](const std::string &why) {
    return deviceError("kernel '" + request->kernel + "' cannot be launched: " + why);
  };
  auto count = [](const std::array<uint32_t, 3> &size) {
    return size[0] && size[1] > UINT32_MAX / size[0] ? 0 : uint64_t(size[0]) * size[1] * size[2];
  };
  uint64_t threads = count(request->block), grid = count(request->grid);
  if (threads == 0 || threads > kMostThreads)
    return refuse("a block has " + std::to_string(threads) + " threads; expected 1 to " + std::to_string(kMostThreads));
  if (grid == 0 || grid > UINT32_MAX)
    return refuse("the grid has " + std::to_string(grid) + " blocks");
  if (request->cluster == 0 || request->cluster > kMostBlocksOfCluster || request->grid[0] % request->cluster)
    return refuse("clusters of " + std::to_string(request->cluster) + " blocks in a grid of " +
                  std::to_string(request->grid[0]));
  return Status::success();
}

Status EmulatorEngine::launch(const EmulatorLaunch &launch) {
  request = &launch;
  if (Status status = check(); status.failed())
    return status;
  state = seed * 0x9E3779B97F4A7C15ull + 1;
  nextBlock = 0;
  blockCount = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  unstarted = vain = turns = 0;
  startAt = 0;
  problem.clear();
  running = this;
  LogicalThread::setEngine();
  startClusters();
  while (!clusters.empty() && problem.empty()) {
    if (!storesUnderWay.empty() && (seed == 0 || random(kStoreTurns[seed % 4]) == 0))
      deliverStore();
    // Start threads and let waiting ones go on in turn.
    bool startsNew = ready.empty() || (seed ? random(kStartTurns[seed % 2]) == 0 : true);
    Fiber *next = startsNew ? newFiber() : nullptr;
    if (!next)
      next = takeReady();
    if (!next) {
      // The last threads of a block may just have started the next one.
      if (clusters.empty())
        break;
      problem = "stalled: no thread can go on";
    } else if (vain > mostVainTurns()) {
      ready.push_back(next);
      problem = "stalled: threads wait for a value that nobody writes";
    } else {
      current = next;
      current->thread.wait = Wait::Nothing;
      switchTo(scheduler, next->context);
    }
  }
  running = nullptr;
  LogicalThread::engineAcquires(&end);
  endedShared.clear();
  if (problem.empty())
    return Status::success();
  Status status = deviceError("kernel '" + launch.kernel + "' " + problem, {describeStall()});
  // Their stacks hold threads that never end.
  for (std::unique_ptr<Fiber> &fiber : fibers)
    fiber->thread.logical.end();
  fibers.clear();
  idle.clear();
  ready.clear();
  storesUnderWay.clear();
  clusters.clear();
  return status;
}

//===----------------------------------------------------------------------===//
// The border to kernels
//===----------------------------------------------------------------------===//

namespace {

/// The engine at work, for the thread whose turn it is when the work is done.
class Engine {
public:
  Engine() { LogicalThread::enterEngine(); }
  ~Engine() { running->enterThread(); }
  EmulatorEngine *operator->() const { return running; }
};

} // namespace

Emulator::Emulator(uint64_t seed) : engine(std::make_unique<EmulatorEngine>(seed)) {}
Emulator::~Emulator() = default;

Status Emulator::launch(const EmulatorLaunch &launch) { return engine->launch(launch); }

const RnnEmulator *Emulator::table() {
  static const RnnEmulator table = {
      [](int32_t which) { return Engine()->special(which); },
      [](int32_t id, int32_t threads, int32_t place) { Engine()->barrier(id, uint32_t(threads), place); },
      [](int32_t id, int32_t threads, int32_t place) { Engine()->arrive(id, uint32_t(threads), place); },
      [](int32_t mask) { Engine()->warpBarrier(uint32_t(mask)); },
      [](int32_t mask, int32_t how, int32_t value, int32_t operand, int32_t clamp) {
        return int32_t(Engine()->shuffle(uint32_t(mask), how, uint32_t(value), uint32_t(operand), uint32_t(clamp)));
      },
      [](int64_t offset) { return Engine()->shared(offset); },
      [](int32_t writes) { Engine()->yield(writes); },
      [](int32_t relaxed, int32_t place) { Engine()->arriveAtCluster(relaxed, place); },
      [](int32_t place) { Engine()->waitForCluster(place); },
      [](void *address, int32_t rank) { return Engine()->mapa(static_cast<char *>(address), uint32_t(rank)); },
      [](void *mbarrier, int32_t count) { Engine()->initMbarrier(static_cast<char *>(mbarrier), uint32_t(count)); },
      [](void *mbarrier, int32_t bytes) { Engine()->arriveAtMbarrier(static_cast<char *>(mbarrier), uint32_t(bytes)); },
      [](void *mbarrier, int32_t parity) {
        return int32_t(Engine()->tryWaitForMbarrier(static_cast<char *>(mbarrier), uint32_t(parity)));
      },
      [](void *address, int32_t value, void *mbarrier) {
        Engine()->storeAsync(static_cast<char *>(address), uint32_t(value), static_cast<char *>(mbarrier));
      },
      [](int32_t *fragments, int32_t place) { Engine()->mma(reinterpret_cast<uint32_t *>(fragments), place); },
  };
  return &table;
}

} // namespace mlir::rnn::runtime
