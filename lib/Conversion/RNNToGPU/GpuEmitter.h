//===- GpuEmitter.h - Kernels while they are emitted --------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_CONVERSION_RNNTOGPU_GPUEMITTER_H
#define RNN_LIB_CONVERSION_RNNTOGPU_GPUEMITTER_H

#include "rnn/Conversion/Passes.h"
#include "rnn/Conversion/RNNToLoops/ScheduleEmitter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::rnn::loops {

/// Threads that move in step.
constexpr int64_t kWarpThreads = 32;
/// A block has at most this many threads.
constexpr int64_t kMaxBlockThreads = 1024;
/// Registers of a multiprocessor.
constexpr int64_t kRegisters = 65536;
/// Bytes of a thread's widest access.
constexpr int64_t kAccessBytes = 16;
/// Rows, columns and depth of a product that a warp does on the tensor cores at
/// once, of bf16. Lane 4g + i has, of each factor, row g (of the left one g + 8,
/// too) and four of the depth's elements, and of the result rows g and g + 8,
/// columns 2i and 2i + 1.
constexpr int64_t kTileRows = 16, kTileColumns = 8, kTileDepth = 16;
/// Words of a left tile that a lane has.
constexpr int64_t kWordsOfTile = 4;
/// Shared memory of a block that a kernel has without asking.
constexpr int64_t kStaticSharedBytes = 48 * 1024;
/// Polls of one wait, far more than any frame takes.
constexpr int32_t kMaxPolls = 1 << 22;
/// The NVVM address space of memory that all blocks see.
constexpr unsigned kGlobalMemory = 1;

/// The blocks and threads of a kernel.
struct KernelShape {
  int64_t threads = 0;        ///< of a block; 0: from the work that they share
  int64_t blocks = 0;         ///< 0: from the work that they share
  int64_t itemsPerBlock = 0;  ///< of that work; 0: one for each thread
  int64_t residentBlocks = 0; ///< that fit in a multiprocessor's registers at least; 0: no matter
  bool isCooperative = false; ///< all blocks run at the same time
  bool isExact = false;       ///< fewer blocks would not do all of the work
  int64_t clusterBlocks = 1;  ///< which see each other's shared memory and run at the same time
  int64_t sharedBytes = 0;    ///< of a block; more than `kStaticSharedBytes` are asked for at the launch
};

/// How a loop over frames is dealt out, for the remark on its kernel. Op by op all
/// threads, of one block or many, are on each op.
struct LoopDescription {
  LocationAttr loc;
  LoopRegime regime = LoopRegime::OpByOp;
  int64_t units = 0;          ///< of a block
  int64_t streams = 0;        ///< of a block
  int64_t exchanges = 0;      ///< vectors that units give to one another in a frame
  int64_t exchangedBytes = 0; ///< of those vectors, for all streams
  bool inRegisters = false;   ///< the weights; else some are read again in every frame
  int64_t streamedBytes = 0;  ///< of weights that all blocks read from far memory in a frame
  StringRef products;         ///< `multiply-adds`, `tensor cores`; `none`
  int64_t registers = 0;      ///< of a thread, about
  std::string reason;
  std::string suggestion; ///< how the loop could be dealt out by units; op by op only
};

/// Emits the kernels of one function and the function `symbol(workspace,
/// tensors, frames)` that launches them.
class GpuEmitter : public FunctionEmitter {
public:
  /// Called for every loop with how it is dealt out.
  using Recorder = std::function<void(Operation *region, const LoopDescription &description)>;

  /// With a `recorder`, which may be null, there are no remarks.
  GpuEmitter(OpBuilder &builder, ScheduleOp schedule, gpu::GPUModuleOp kernels, const ConvertRNNToGPUOptions &options,
             Recorder recorder = nullptr);

  void begin(StringRef symbol) override;
  void end() override;
  void beginLoop() override;
  void endLoop() override;
  void beginWavefront(int64_t older, unsigned loops) override;
  void endWavefront() override;
  void beginRegion(Operation *next) override { region = next; }
  FailureOr<bool> emitFrames(RegionEmitter &region, ArrayRef<Operation *> ops) override;
  void share(int64_t points, Value frames, function_ref<void(Value item)> body) override;
  bool emitProduct(const MatrixProduct &product) override;
  bool emitReduction(const Reduction &reduction) override;
  bool dividesSums(Type element, int64_t count) const override;

  const ConvertRNNToGPUOptions &getOptions() const { return options; }
  /// Those that the loop at hand may have: loops of a wavefront share them.
  int64_t getMultiprocessors() const { return loopMultiprocessors; }
  /// The many blocks that run a loop op by op, if they take less time than so many
  /// `others` that share the work and need not meet; else none. OpByOp.cpp.
  KernelShape spreadOpByOp(ArrayRef<Operation *> ops, int64_t others) const;
  /// Shared memory that a block of the loop at hand may have. Beside loops of a
  /// wavefront other kernels need some.
  int64_t getSharedBytes() const { return wavefront ? kStaticSharedBytes : options.sharedBytes; }
  /// Emits, within a wavefront, what is done once and before it.
  void emitBeforeWavefront(function_ref<void()> body);
  /// Ends the kernel, emits one of that shape whose blocks share `work` items, and
  /// begins the next. Blocks take items with the stride of the grid.
  void emitKernel(const KernelShape &wanted, Size work, function_ref<void()> body);
  /// Shared memory of the kernel: memref<count x element>, its beginning a
  /// multiple of `kAccessBytes` bytes.
  Value allocateShared(Type element, int64_t count);
  /// Neighbouring elements of shared or other aligned memory, whose number divides
  /// their place.
  SmallVector<Value> loadNeighbours(Value memory, Value at, int64_t count);
  /// Writes neighbouring elements, likewise.
  void storeNeighbours(ArrayRef<Value> elements, Value memory, Value at);
  /// Two f32 as bf16 in an i32, the first in its lower half.
  Value packBf16(Value low, Value high);
  /// The tile `sums` (four f32) plus the product of a left tile (four words) and a
  /// right one (two), by the whole warp. Any order of the depth's elements will do
  /// that both have in common.
  SmallVector<Value> multiplyTiles(ArrayRef<Value> left, ArrayRef<Value> right, ArrayRef<Value> sums);
  /// All of so many neighbouring lanes get their values combined, in one order; of
  /// each `stride` lanes, which have the same, one value. The whole warp takes
  /// part: its groups of lanes exchange among themselves.
  Value combineLanes(Value value, int64_t lanes, function_ref<Value(Value, Value)> combine, int64_t stride = 1);
  /// Emits a loop that calls `poll` until its result, an i1, is false: at most
  /// `kMaxPolls` times, and only once if `isDead`, an i1. Returns the words that the
  /// last poll has read, `count` of i32, and then whether the wait was in vain.
  SmallVector<Value> await(int64_t count, Value isDead, function_ref<Value(SmallVectorImpl<Value> &words)> poll);
  /// Tells the runtime, if `isLost`, an i1, that a wait was in vain: a block never ran.
  void reportLoss(Value isLost);
  Value constantI32(int32_t value) { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)); }
  /// Ends the kernel, if there is anything in it, and begins one whose threads
  /// meet (a loop).
  void beginLoop(KernelShape shape);

protected:
  StringRef getTargetName() const override { return "gpu"; }
  void emitBarrier() override;
  Value loadTensorPointer(unsigned position) override;

private:
  bool emitByUnits(RegionEmitter &region, ArrayRef<Operation *> ops);

  // OpByOp.cpp
  void dealOutWarps();
  void onFirstOfBlock(function_ref<void()> body);
  void meetAcrossBlocks();
  /// Behind the frames of a loop of many blocks.
  void endOpByOp();

  // LoopRemarks.cpp
  /// The remark on the loop in the kernel at hand.
  void emitLoopRemark(int64_t blocks, int64_t threads);

  // Reduction.cpp
  /// Every result is computed by a warp.
  void reduceByWarps(const Reduction &reduction);
  /// Parts of the results by warps or threads, then the results by warps.
  void reduceInParts(const Reduction &reduction, int64_t parts, bool byWarps);
  /// Elements begin, begin + step, … below `end` of a result.
  Value accumulate(const Reduction &reduction, const Point &result, Value begin, Value end, Value step);
  /// The lanes of a warp combine what each has accumulated; one stores it.
  void storeCombined(const Reduction &reduction, Value lane, Value value, const View &view, const Point &point);

  /// A launch of the wavefront at hand. What others wait for are positions among
  /// its launches.
  struct PieceLaunch {
    gpu::LaunchFuncOp op;
    Operation *region;
    int64_t blocks;             ///< of a loop
    int64_t registers;          ///< of a block, about
    bool isCooperative;         ///< those blocks must all run at the same time
    SmallVector<int64_t> after; ///< before a piece, the same piece of these
  };
  struct Wavefront {
    int64_t number, older;
    SmallVector<PieceLaunch> launches;
  };
  bool inPieces() const { return wavefront && !beforeWavefront; }
  // Wavefronts.cpp
  /// What a launch of the region at hand waits for.
  SmallVector<int64_t> findSources() const;
  /// Adds the launch of the kernel at hand, with blocks of `threads`.
  void addToWavefront(gpu::LaunchFuncOp op, int64_t threads);
  void emitWavefrontRemark();

  void beginKernel();
  /// Ends the kernel and launches it, unless nothing in it can be noticed.
  void endKernel();
  void launch();

  gpu::GPUModuleOp kernels;
  ConvertRNNToGPUOptions options;
  Recorder recorder;
  int64_t loopMultiprocessors;
  func::FuncOp function;
  gpu::GPUFuncOp kernel;
  unsigned kernelNumber = 0;
  bool isLoop = false; ///< the kernel holds a loop over frames
  KernelShape shape;
  LoopDescription description; ///< of the loop
  KernelShape opByOp;          ///< of the loop at hand, if it is not by units; no blocks: one
  View arrivals;               ///< of blocks at their meetings: one i32
  Value isLost;                ///< in shared memory: one i32, not 0 once a block waited in vain; null: one block
  Operation *region = nullptr; ///< of the schedule, at hand
  std::optional<Wavefront> wavefront;
  int64_t wavefrontCount = 0;
  bool beforeWavefront = false; ///< the kernel is for all frames, and not of the wavefront
  bool waitsForBlocks = false;  ///< some kernel's blocks wait for one another, and may do so in vain
  Size items;                   ///< the most items that threads of the kernel share
  int64_t sharedBytes = 0;      ///< dynamic shared memory of the kernel so far
};

/// Converts a module, as the pass does; `recorder` as that of the emitter.
LogicalResult convertToKernels(ModuleOp module, const ConvertRNNToGPUOptions &options,
                               GpuEmitter::Recorder recorder = nullptr);

} // namespace mlir::rnn::loops

#endif // RNN_LIB_CONVERSION_RNNTOGPU_GPUEMITTER_H
