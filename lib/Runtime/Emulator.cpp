//===- Emulator.cpp - GPU kernels on the CPU ------------------------------===//
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

#include "rnn/Runtime/Emulator.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <ucontext.h>
#include <vector>

namespace mlir::rnn::runtime {

namespace {

constexpr unsigned kWarpThreads = 32;
constexpr size_t kStackBytes = 1 << 20;
/// Blocks of a launch that is not cooperative which run at the same time.
constexpr size_t kBlocksAtOnce = 4;
/// So often may every thread give way in vain before they are called stalled.
constexpr uint64_t kVainTurns = 2000;

struct Block;

/// A GPU thread.
struct Thread {
  Block *block;
  uint32_t index;           ///< in its block
  const char *at = nullptr; ///< what it waits at, for the report
  int32_t barrier = 0;      ///< its number, if it is a barrier
  /// A shuffle: what the thread brings, which lane it reads, what it gets.
  struct Shuffle {
    uint32_t value, from, result;
  } shuffle = {};
};

/// A stack, and the thread that has it.
struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  Thread thread;
};

/// Where some of the threads of a block meet.
struct Barrier {
  uint32_t arrived = 0;
  uint32_t expected = 0; ///< 0: nobody is there
  std::vector<Fiber *> waiting;
};

struct Warp {
  Barrier barrier, shuffle;
};

struct Block {
  uint32_t number;
  uint32_t started = 0, finished = 0;
  uint32_t stride = 1, first = 0; ///< thread number i starts as (first + i * stride) % threads
  std::vector<char> shared;
  std::map<int32_t, Barrier> barriers;
  std::vector<Warp> warps;
};

} // namespace

class EmulatorEngine {
public:
  explicit EmulatorEngine(uint64_t seed) : seed(seed) {}

  Status launch(const EmulatorLaunch &request);

  // What kernels call.
  int32_t special(int32_t which) const;
  void barrier(int32_t id, uint32_t threads);
  void arrive(int32_t id, uint32_t threads);
  void warpBarrier(uint32_t mask);
  uint32_t shuffle(uint32_t mask, int32_t how, uint32_t value, uint32_t operand, uint32_t clamp);
  void *shared(int64_t offset) { return current->thread.block->shared.data() + offset; }
  void yield(bool writes);

private:
  uint32_t random(uint32_t limit);
  uint32_t blockThreads() const { return request->block[0] * request->block[1] * request->block[2]; }
  void startBlocks();
  bool startThread(Fiber &fiber);
  void runThreads(Fiber &fiber);
  Fiber *newFiber();
  Fiber *takeReady();
  /// One more at a barrier for `expected`; true if that was the last.
  bool come(Barrier &barrier, uint32_t expected);
  void release(Barrier &barrier);
  void wait(Barrier &barrier, const char *at, int32_t id);
  void suspend();
  Warp &warp() { return current->thread.block->warps[current->thread.index / kWarpThreads]; }
  uint32_t lane() const { return current->thread.index % kWarpThreads; }
  uint32_t lanes() const;
  std::string describeStall() const;

  static void enterFiber(unsigned low, unsigned high);

  const uint64_t seed;
  uint64_t state = 0;
  const EmulatorLaunch *request = nullptr;
  std::deque<Block> blocks; ///< that have started and not finished
  uint64_t nextBlock = 0, blockCount = 0;
  std::deque<Fiber *> ready;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber *> idle;
  Fiber *current = nullptr;
  ucontext_t scheduler;
  uint64_t vain = 0; ///< turns since anything happened
  std::string problem;
};

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

void EmulatorEngine::startBlocks() {
  const size_t atOnce = request->cooperative ? blockCount : kBlocksAtOnce;
  while (blocks.size() < atOnce && nextBlock < blockCount) {
    Block &block = blocks.emplace_back();
    block.number = uint32_t(nextBlock++);
    const uint32_t threads = blockThreads();
    block.shared.assign(request->sharedBytes, char(0xff));
    block.warps.resize((threads + kWarpThreads - 1) / kWarpThreads);
    if (seed) {
      block.first = random(threads);
      // An odd stride that is prime to the number of threads visits all.
      block.stride = 2 * random(threads) + 1;
      while (std::gcd(block.stride, threads) != 1)
        block.stride += 2;
    }
  }
}

/// Gives a fiber the next thread of some block; false if all have started.
bool EmulatorEngine::startThread(Fiber &fiber) {
  const uint32_t threads = blockThreads();
  const size_t offset = seed && !blocks.empty() ? random(uint32_t(blocks.size())) : 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    Block &block = blocks[(i + offset) % blocks.size()];
    if (block.started == threads)
      continue;
    uint64_t index = (block.first + uint64_t(block.started++) * block.stride) % threads;
    fiber.thread = {&block, uint32_t(index)};
    return true;
  }
  return false;
}

void EmulatorEngine::enterFiber(unsigned low, unsigned high) {
  auto *fiber = reinterpret_cast<Fiber *>(uintptr_t(low) | uintptr_t(high) << 32);
  running->runThreads(*fiber);
}

void EmulatorEngine::runThreads(Fiber &fiber) {
  while (true) {
    request->entry(request->arguments);
    vain = 0;
    Block *block = fiber.thread.block;
    fiber.thread.block = nullptr;
    if (++block->finished == blockThreads()) {
      // Other threads point to other blocks of the deque, whose addresses stay.
      while (!blocks.empty() && blocks.front().finished == blockThreads())
        blocks.pop_front();
      startBlocks();
    }
    // Now and then somebody else's turn comes between two threads.
    if ((seed && random(4) == 0) || !startThread(fiber)) {
      idle.push_back(&fiber);
      swapcontext(&fiber.context, &scheduler);
    }
  }
}

Fiber *EmulatorEngine::newFiber() {
  if (!idle.empty()) {
    Fiber *fiber = idle.back();
    if (!startThread(*fiber))
      return nullptr;
    idle.pop_back();
    return fiber;
  }
  auto fiber = std::make_unique<Fiber>();
  if (!startThread(*fiber))
    return nullptr;
  fiber->stack = std::unique_ptr<char[]>(new char[kStackBytes]);
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack.get();
  fiber->context.uc_stack.ss_size = kStackBytes;
  fiber->context.uc_link = nullptr;
  auto address = reinterpret_cast<uintptr_t>(fiber.get());
  makecontext(&fiber->context, reinterpret_cast<void (*)()>(enterFiber), 2, unsigned(address), unsigned(address >> 32));
  return fibers.emplace_back(std::move(fiber)).get();
}

Fiber *EmulatorEngine::takeReady() {
  if (ready.empty())
    return nullptr;
  if (seed)
    std::swap(ready.front(), ready[random(uint32_t(ready.size()))]);
  Fiber *fiber = ready.front();
  ready.pop_front();
  return fiber;
}

void EmulatorEngine::suspend() { swapcontext(&current->context, &scheduler); }

//===----------------------------------------------------------------------===//
// Meeting
//===----------------------------------------------------------------------===//

bool EmulatorEngine::come(Barrier &barrier, uint32_t expected) {
  if (barrier.expected && barrier.expected != expected && problem.empty())
    problem = "threads of block " + std::to_string(current->thread.block->number) +
              " expect different numbers of threads at one barrier: " + std::to_string(barrier.expected) + " and " +
              std::to_string(expected);
  barrier.expected = expected;
  return ++barrier.arrived == expected;
}

void EmulatorEngine::release(Barrier &barrier) {
  ready.insert(ready.end(), barrier.waiting.begin(), barrier.waiting.end());
  barrier.waiting.clear();
  barrier.arrived = barrier.expected = 0;
  vain = 0;
}

void EmulatorEngine::wait(Barrier &barrier, const char *at, int32_t id) {
  current->thread.at = at;
  current->thread.barrier = id;
  barrier.waiting.push_back(current);
  suspend();
}

void EmulatorEngine::barrier(int32_t id, uint32_t threads) {
  Barrier &barrier = current->thread.block->barriers[id];
  if (come(barrier, threads ? threads : blockThreads()))
    release(barrier);
  else
    wait(barrier, "barrier", id);
}

void EmulatorEngine::arrive(int32_t id, uint32_t threads) {
  Barrier &barrier = current->thread.block->barriers[id];
  if (come(barrier, threads ? threads : blockThreads()))
    release(barrier);
}

/// The lanes that the warp has.
uint32_t EmulatorEngine::lanes() const {
  uint32_t count = std::min(blockThreads() - current->thread.index / kWarpThreads * kWarpThreads, kWarpThreads);
  return count == kWarpThreads ? ~0u : (1u << count) - 1;
}

void EmulatorEngine::warpBarrier(uint32_t mask) {
  Barrier &barrier = warp().barrier;
  if (come(barrier, uint32_t(__builtin_popcount(mask & lanes()))))
    release(barrier);
  else
    wait(barrier, "warp barrier", 0);
}

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
  Thread::Shuffle &mine = current->thread.shuffle;
  mine = {value, inside && from < kWarpThreads && (all >> from & 1) ? from : self, value};

  Barrier &meeting = warp().shuffle;
  if (!come(meeting, uint32_t(__builtin_popcount(all)))) {
    wait(meeting, "shuffle", 0);
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
  release(meeting);
  return mine.result;
}

void EmulatorEngine::yield(bool writes) {
  vain = writes ? 0 : vain + 1;
  // A thread sometimes runs far ahead of the others.
  if (seed && random(4) != 0)
    return;
  current->thread.at = "atomic access";
  ready.push_back(current);
  suspend();
}

int32_t EmulatorEngine::special(int32_t which) const {
  const Thread &thread = current->thread;
  if (which == RNN_EMULATOR_LANEID)
    return int32_t(lane());
  const unsigned axis = unsigned(which) % 3;
  auto coordinate = [axis](uint32_t index, const std::array<uint32_t, 3> &size) {
    uint32_t digits[3] = {index % size[0], index / size[0] % size[1], index / size[0] / size[1]};
    return int32_t(digits[axis]);
  };
  switch (which - int32_t(axis)) {
  case RNN_EMULATOR_TID:
    return coordinate(thread.index, request->block);
  case RNN_EMULATOR_NTID:
    return int32_t(request->block[axis]);
  case RNN_EMULATOR_CTAID:
    return coordinate(thread.block->number, request->grid);
  default:
    return int32_t(request->grid[axis]);
  }
}

//===----------------------------------------------------------------------===//
// A launch
//===----------------------------------------------------------------------===//

/// Who waits where, by the first block that does: `block 0: 3 of 256 threads wait at barrier 1, the first is thread 7`.
std::string EmulatorEngine::describeStall() const {
  for (const Block &block : blocks) {
    std::map<std::pair<std::string, int32_t>, std::pair<uint32_t, uint32_t>> places; // count, first thread
    for (const std::unique_ptr<Fiber> &fiber : fibers) {
      const Thread &thread = fiber->thread;
      if (thread.block != &block || !thread.at)
        continue;
      auto &[count, first] = places.try_emplace({thread.at, thread.barrier}, 0, thread.index).first->second;
      ++count;
      first = std::min(first, thread.index);
    }
    if (places.empty())
      continue;
    std::string text = "block " + std::to_string(block.number) + ": ";
    for (const auto &[place, who] : places) {
      std::string name = place.first == "barrier" ? "barrier " + std::to_string(place.second) : place.first;
      text += std::to_string(who.first) + " of " + std::to_string(blockThreads()) + " threads wait at " + name +
              ", the first is thread " + std::to_string(who.second) + "; ";
    }
    return text + std::to_string(block.finished) + " have ended";
  }
  return "no thread waits";
}

Status EmulatorEngine::launch(const EmulatorLaunch &launch) {
  request = &launch;
  state = seed * 0x9E3779B97F4A7C15ull + 1;
  blocks.clear();
  ready.clear();
  nextBlock = 0;
  blockCount = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  vain = 0;
  problem.clear();
  running = this;
  startBlocks();
  while (!blocks.empty() && problem.empty()) {
    // Start threads and let waiting ones go on in turn.
    bool startsNew = ready.empty() || (seed ? random(2) == 0 : true);
    Fiber *next = startsNew ? newFiber() : nullptr;
    if (!next)
      next = takeReady();
    if (!next) {
      // The last threads of a block may just have started the next one.
      if (blocks.empty())
        break;
      problem = "no thread can go on";
    } else if (vain > kVainTurns * std::max<uint64_t>(fibers.size(), 64)) {
      problem = "threads wait for a value that nobody writes";
    } else {
      current = next;
      current->thread.at = nullptr;
      swapcontext(&scheduler, &next->context);
    }
  }
  running = nullptr;
  if (problem.empty())
    return Status::success();
  Status status = Status::error(Code::Device, Kind::Device, "kernel '" + launch.kernel + "' stalled: " + problem,
                                {describeStall()});
  // Their stacks hold threads that never end.
  fibers.clear();
  idle.clear();
  ready.clear();
  blocks.clear();
  return status;
}

Emulator::Emulator(uint64_t seed) : engine(std::make_unique<EmulatorEngine>(seed)) {}
Emulator::~Emulator() = default;

Status Emulator::launch(const EmulatorLaunch &launch) { return engine->launch(launch); }

const RnnEmulator *Emulator::table() {
  static const RnnEmulator table = {
      [](int32_t which) { return running->special(which); },
      [](int32_t id, int32_t threads) { running->barrier(id, uint32_t(threads)); },
      [](int32_t id, int32_t threads) { running->arrive(id, uint32_t(threads)); },
      [](int32_t mask) { running->warpBarrier(uint32_t(mask)); },
      [](int32_t mask, int32_t how, int32_t value, int32_t operand, int32_t clamp) {
        return int32_t(running->shuffle(uint32_t(mask), how, uint32_t(value), uint32_t(operand), uint32_t(clamp)));
      },
      [](int64_t offset) { return running->shared(offset); },
      [](int32_t writes) { running->yield(writes); },
  };
  return &table;
}

} // namespace mlir::rnn::runtime
