//===- Passes.td - Passes to and on level 2, the schedule -*- tablegen -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the order of the pipeline `rnn-to-schedule`.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_SCHEDULE_PASSES_TD
#define RNN_DIALECT_RNN_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def Partition : Pass<"rnn-partition", "::mlir::ModuleOp"> {
  let summary = "Split every function into work for all frames at once and loops over frames";
  let description = [{
    Builds a `rnn.schedule` from every public `rnn.network` and every `rnn.step`, and removes the graphs.
    An op on no cycle becomes a `rnn.parallel` over all frames (or once, if it is static), a sum over frames a `rnn.reduction`, a cycle a `rnn.recurrent`.
    What can leave a loop leaves it: a `rnn.sum` in a loop is split into the sum of its outer terms, once for all frames, and the rest; a delay off every cycle reads a finished sequence.
    Carried delays and saves leave `rnn.keep`s of what the next call needs.

    With `mode=sequential`, the baseline, neighbours of one domain and of compatible directions share one loop, whether they must or not, and no sum is split.

    With `streams=0` a schedule is for any number of streams, `streams ?`, and B is `?` in its types: one module for every B, but no memory plan and no machine code, only `convert-rnn-to-linalg`.

    ```mlir
    // Before
    rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
      %h1 = rnn.delay %h by 1 state "h" : tensor<4xf32>
      %w = rnn.param @w : tensor<4x4xf32>
      %u = rnn.contract %w, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %s = rnn.sum %u, %x : tensor<4xf32>
      %h = math.tanh %s : tensor<4xf32>
      rnn.output %h : tensor<4xf32>
    }
    // After
    rnn.schedule @net infer of @net streams 2 (%x: tensor<?x2x4xf32>) -> (h: tensor<?x2x4xf32>) {
      %w = rnn.param @w : tensor<4x4xf32>
      %h = rnn.recurrent causal chunk ins(%w as %w0 static, %x as %x0 frame) : (tensor<4x4xf32>, tensor<?x2x4xf32>) -> tensor<?x2x4xf32> { … }
      rnn.keep %h as "state.h" frames 1 : tensor<?x2x4xf32>
      rnn.return %h : tensor<?x2x4xf32>
    }
    ```
  }];
  let options = [
    Option<"mode", "mode", "std::string", "\"split\"", "split: all that can runs for all frames at once; sequential: in loops">,
    Option<"streams", "streams", "int64_t", "1", "B, the number of streams; 0: any, so that B is `?` and rnn-to-linalg alone goes on">,
  ];
  let statistics = [
    Statistic<"parallelCount", "parallel", "regions for all frames at once">,
    Statistic<"recurrentCount", "recurrent", "loops over frames">,
    Statistic<"scanCount", "scan", "loops that run as scans">,
    Statistic<"hoistedCount", "hoisted-linears", "products that feed a loop and run before it">,
  ];
}

def Sink : Pass<"rnn-sink", "::mlir::ModuleOp"> {
  let summary = "Move elementwise work back into the loop that alone uses it, where that saves bytes";
  let description = [{
    A loop reads the sequences that were computed for it. Where several of them follow, by cheap elementwise ops that nothing else reads, from fewer or smaller sequences, those ops move into the loop and the loop reads the fewer.
    Which ops move is a minimum cut: of all borders between the loop and what it depends on, the one that the fewest bytes per frame cross.
    Products, reductions and elementary functions never move, so a frame of the loop gains no stage.

    ```mlir
    // Before: the loop reads p and q, each used by it alone
    %p = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) … { %0 = arith.mulf %a0, %b0 … }
    %q = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) … { %0 = arith.subf %a0, %b0 … }
    %r = rnn.parallel chunk ins(%a as %a0 frame, %b as %b0 frame) … { %0 = arith.addf %a0, %b0 … }
    %h = rnn.recurrent causal chunk ins(%p as %p0 frame, %q as %q0 frame, %r as %r0 frame) …
    // After: it reads a and b
    %h = rnn.recurrent causal chunk ins(%a as %a0 frame, %b as %b0 frame) …
    ```
  }];
  let statistics = [Statistic<"opsSunk", "ops-sunk", "ops moved into a loop">];
}

def FuseElementwise : Pass<"rnn-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Merge neighbouring regions, so that what passes between them is no sequence";
  let description = [{
    Merges `rnn.parallel` regions of one domain that feed each other or read the same sequence, unless a `rnn.delay` or `rnn.save` of the one reads a result of the other at another frame.
    A result that is used inside only is no sequence any more. Products stay regions of their own, since all frames together are one large product. Static regions merge where their results have one shape.

    ```mlir
    // Before
    %0 = rnn.parallel chunk ins(%x as %x0 frame) … { %1 = math.exp %x0 … }
    %2 = rnn.parallel chunk ins(%0 as %y0 frame) … { %3 = arith.negf %y0 … }
    // After
    %2 = rnn.parallel chunk ins(%x as %x0 frame) … { %1 = math.exp %x0 …  %3 = arith.negf %1 … }
    ```
  }];
  let statistics = [Statistic<"opsFused", "ops-fused", "ops that moved into the region of another op">];
}

def FormWavefronts : Pass<"rnn-form-wavefronts", "::mlir::ModuleOp"> {
  let summary = "Find loops that may overlap in time, piece by piece of their frames";
  let description = [{
    A *wavefront* is a run of regions, marked with its number, that may be cut into pieces of frames: a region computes a piece as soon as the regions that it reads have computed theirs, and it itself the piece before. So the second of two stacked layers works on early frames while the first works on later ones.
    It has two loops or more, and the `rnn.parallel` regions between them. All have one domain; a loop and what it reads of the wavefront go through the frames in one direction, and no delay reads a frame that is computed later. Work that is not done frame by frame keeps a region out. What needs something of the wavefront and is not of it, such as sums over frames, moves behind it, all else before it.

    The registers of the `multiprocessors` must hold the weights of all its loops, by an estimate from the sizes of their matrices. A step whose calls never have frames for two pieces has no wavefront.

    It is for targets that overlap launches, so it is part of `rnn-to-gpu`, in which `rnn-plan-memory` comes once more behind it: in a wavefront no sequence takes the place of another.

    ```mlir
    // Before
    %h = rnn.recurrent causal chunk ins(%x as %x0 frame, …) …
    %s = rnn.reduction chunk ins(%h as %h0 frame) …
    %y = rnn.parallel chunk ins(%w as %w0 static, %h as %h0 frame) …
    %k = rnn.recurrent causal chunk ins(%y as %y0 frame, …) …
    // After
    %h = rnn.recurrent causal chunk ins(%x as %x0 frame, …) {rnn.wavefront = 0 : i64} …
    %y = rnn.parallel chunk ins(%w as %w0 static, %h as %h0 frame) {rnn.wavefront = 0 : i64} …
    %k = rnn.recurrent causal chunk ins(%y as %y0 frame, …) {rnn.wavefront = 0 : i64} …
    %s = rnn.reduction chunk ins(%h as %h0 frame) …
    ```
  }];
  let options = [
    Option<"multiprocessors", "multiprocessors", "int64_t", "80", "how many blocks run at the same time">,
    Option<"pieceFrames", "piece-frames", "int64_t", "64", "frames of a piece, at least">,
  ];
  let statistics = [Statistic<"wavefrontCount", "wavefronts", "sets of loops that may overlap">];
}

def PlanMemory : Pass<"rnn-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every sequence a place in the workspace";
  let description = [{
    Gives each region an array `slots` with one `#rnn.slot<offset, per_frame>` per result, and the schedule `rnn.memory = {constant, per_thread, per_frame}`: the workspace has constant + per_thread·n + per_frame·T bytes.
    A sequence has one row `[B, …]` per frame of its domain; booleans are bytes. What a carried delay reads before the first frame stays in the session's state.
    Every offset is affine in T and a multiple of 64 for every T. Two sequences share memory if their lives do not overlap: from the region that computes one to the last that reads it, or to the end if it is kept, assigned or returned. That holds for every T >= 1, since of two buffers in one place the place is as large as the larger in both terms.
    The regions of a wavefront run at the same time, so that what any of them reads or writes is needed from the first to the last.
    A schedule for any number of streams (`streams ?`) has no plan: an error.

    `limit` bounds the workspace for the largest T of the step (its advance; 1 without bptt).
  }];
  let options = [
    Option<"remat", "remat", "std::string", "\"auto\"", "auto, keep or recompute: whether forward results are computed again for the backward pass">,
    Option<"limit", "limit", "int64_t", "0", "largest workspace in bytes; 0: none">,
  ];
}

def VerifySchedule : Pass<"rnn-verify-schedule", "::mlir::ModuleOp"> {
  let summary = "Check that a module is at level 2";
  let description = [{
    Errors at the first op that level 2 does not allow: graphs and steps, gradients, composites and calls, states without a `rnn.keep`, and delays in a `rnn.parallel` of anything but a block argument.
  }];
}

def PrintSchedule : Pass<"rnn-print-schedule", "::mlir::ModuleOp"> {
  let summary = "Print the regions of every schedule, one line each";
  let description = [{
    Kind, domain and ops of each region, FLOPs per frame and stream, and the bytes that a frame reads and writes: of all streams, or of one where the schedule is for any number of them (`streams ?`, in JSON `null`).
  }];
  let options = [Option<"format", "format", "std::string", "\"text\"", "text or json">];
}

def PrintMemory : Pass<"rnn-print-memory", "::mlir::ModuleOp"> {
  let summary = "Print the memory plan of every schedule";
  let options = [Option<"format", "format", "std::string", "\"text\"", "text or json">];
}

#endif // RNN_DIALECT_RNN_SCHEDULE_PASSES_TD
