//===- ScheduleTest.cpp - Level 2 -----------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Schedules written by hand mean what the graph means that they stand for.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "rnn/Interpreter/Probe.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

/// Runs both functions over several chunks on equal inputs.
void expectEqual(Program &program, StringRef graph, StringRef schedule, int64_t streams) {
  ProbeOptions options;
  options.streams = streams;
  FailureOr<SmallVector<TensorMap>> expected = probe(program.find(graph), options);
  FailureOr<SmallVector<TensorMap>> found = probe(program.find(schedule), options);
  ASSERT_TRUE(succeeded(expected) && succeeded(found));
  for (auto [x, y] : llvm::zip(*expected, *found)) {
    EXPECT_EQ(findDifference(x, y), std::nullopt);
    EXPECT_EQ(x.size(), y.size());
  }
}

TEST(Schedule, LoopsAndParallelWork) {
  Program program(R"(
    rnn.parameter @w : tensor<2x2xf32> init(#rnn.zeros)
    rnn.network @graph(%x: tensor<2xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<2xf32>, b: tensor<2xf32>) {
      %w = rnn.param @w : tensor<2x2xf32>
      %x2 = rnn.delay %x by 2 : tensor<2xf32>
      %p = arith.subf %x, %x2 : tensor<2xf32>
      %h1 = rnn.delay %h by 1 : tensor<2xf32>
      %u = rnn.linear %h1, %w, %p : (tensor<2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>
      %h = math.tanh %u : tensor<2xf32>
      %later = rnn.delay %b by -1 : tensor<2xf32>
      %b = arith.addf %h, %later : tensor<2xf32>
      rnn.output %h, %b : tensor<2xf32>, tensor<2xf32>
    }
    rnn.schedule @schedule infer of @graph streams 3 (%x: tensor<?x3x2xf32>, %r: tensor<?x3xi1> {rnn.reset})
        -> (h: tensor<?x3x2xf32>, b: tensor<?x3x2xf32>) {
      %w = rnn.param @w : tensor<2x2xf32>
      %p = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x3x2xf32>) -> tensor<?x3x2xf32> {
        %x2 = rnn.delay %x0 by 2 state "x" : tensor<2xf32>
        %0 = arith.subf %x0, %x2 : tensor<2xf32>
        rnn.yield %0 : tensor<2xf32>
      }
      %h = rnn.recurrent causal chunk ins(%p as %p0 frame, %w as %w0 static)
          : (tensor<?x3x2xf32>, tensor<2x2xf32>) -> tensor<?x3x2xf32> {
        %h1 = rnn.delay %h0 by 1 state "h" : tensor<2xf32>
        %u = rnn.linear %h1, %w0, %p0 : (tensor<2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>
        %h0 = math.tanh %u : tensor<2xf32>
        rnn.yield %h0 : tensor<2xf32>
      }
      %b = rnn.recurrent anticausal chunk ins(%h as %hin frame) : (tensor<?x3x2xf32>) -> tensor<?x3x2xf32> {
        %later = rnn.delay %b0 by -1 local : tensor<2xf32>
        %b0 = arith.addf %hin, %later : tensor<2xf32>
        rnn.yield %b0 : tensor<2xf32>
      }
      rnn.keep %x as "state.x" frames 2 : tensor<?x3x2xf32>
      rnn.keep %h as "state.h" frames 1 : tensor<?x3x2xf32>
      rnn.return %h, %b : tensor<?x3x2xf32>, tensor<?x3x2xf32>
    })");
  expectEqual(program, "graph", "schedule", 3);
}

TEST(Schedule, WindowsReductionsAndUpdates) {
  Program program(R"(
    rnn.parameter @w : tensor<f32> init(#rnn.zeros)
    rnn.step @graph train of @n bptt<window = 6, advance = 3> (%x: tensor<f32>, %r: tensor<i1> {rnn.reset})
        -> (loss: tensor<f32> {rnn.rate = "static"}) {
      %w = rnn.param @w : tensor<f32>
      %y = arith.mulf %x, %w : tensor<f32>
      %loss = rnn.sum_frames %y : tensor<f32>
      %two = arith.constant dense<2.0> : tensor<f32>
      %seed = rnn.seed %two : tensor<f32>
      %sx = rnn.save %x ring "0" : tensor<f32>
      %later = rnn.delay %e by -1 local : tensor<f32>
      %e = rnn.sum %seed, %later, %sx : tensor<f32>
      %dw = rnn.contract %e, %sx [() -> (), () -> (), () -> ()] sum_to static : (tensor<f32>, tensor<f32>) -> tensor<f32>
      %new = arith.subf %w, %dw : tensor<f32>
      %finite = arith.cmpf oeq, %dw, %dw : tensor<f32>
      rnn.assign @w, %new : tensor<f32>
      rnn.guard %finite : tensor<i1>
      rnn.output %loss : tensor<f32>
    }
    rnn.schedule @schedule train of @n streams 2 bptt<window = 6, advance = 3>
        (%x: tensor<?x2xf32>, %r: tensor<?x2xi1> {rnn.reset}) -> (loss: tensor<f32> {rnn.rate = "static"}) {
      %w = rnn.param @w : tensor<f32>
      %loss = rnn.reduction chunk ins(%x as %x0 frame, %w as %w0 static) : (tensor<?x2xf32>, tensor<f32>) -> tensor<f32> {
        %y = arith.mulf %x0, %w0 : tensor<f32>
        %s = rnn.sum_frames %y : tensor<f32>
        rnn.yield %s : tensor<f32>
      }
      %two = rnn.parallel static ins() : () -> tensor<f32> {
        %c = arith.constant dense<2.0> : tensor<f32>
        rnn.yield %c : tensor<f32>
      }
      %seed, %sx = rnn.parallel window ins(%two as %t0 static, %x as %x0 frame)
          : (tensor<f32>, tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
        %s = rnn.seed %t0 : tensor<f32>
        %v = rnn.save %x0 ring "0" : tensor<f32>
        rnn.yield %s, %v : tensor<f32>, tensor<f32>
      }
      %e = rnn.recurrent anticausal window ins(%seed as %s0 frame, %sx as %x0 frame)
          : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> {
        %later = rnn.delay %e0 by -1 local : tensor<f32>
        %e0 = rnn.sum %s0, %later, %x0 : tensor<f32>
        rnn.yield %e0 : tensor<f32>
      }
      %dw = rnn.reduction window ins(%e as %e0 frame, %sx as %x0 frame)
          : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<f32> {
        %0 = rnn.contract %e0, %x0 [() -> (), () -> (), () -> ()] sum_to static
           : (tensor<f32>, tensor<f32>) -> tensor<f32>
        rnn.yield %0 : tensor<f32>
      }
      %new, %finite = rnn.parallel static ins(%w as %w0 static, %dw as %d0 static)
          : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<i1>) {
        %0 = arith.subf %w0, %d0 : tensor<f32>
        %1 = arith.cmpf oeq, %d0, %d0 : tensor<f32>
        rnn.yield %0, %1 : tensor<f32>, tensor<i1>
      }
      rnn.keep %x as "ring.0" frames 3 : tensor<?x2xf32>
      rnn.assign @w, %new : tensor<f32>
      rnn.guard %finite : tensor<i1>
      rnn.return %loss : tensor<f32>
    })");
  expectEqual(program, "graph", "schedule", 2);
}

TEST(Schedule, OrderIsKept) {
  // A parallel region reads its arguments at other frames, not its own values.
  Program program(R"(
    rnn.schedule @f infer of @n streams 1 (%x: tensor<?x1xf32>) -> (y: tensor<?x1xf32>) {
      %y = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x1xf32>) -> tensor<?x1xf32> {
        %0 = arith.negf %x0 : tensor<f32>
        %1 = rnn.delay %0 by -1 local : tensor<f32>
        rnn.yield %1 : tensor<f32>
      }
      rnn.return %y : tensor<?x1xf32>
    })");
  program.run("f", {{"x", floats({1, 1}, {1})}}, 1);
  EXPECT_EQ(program.error, "'rnn.delay' op expected an argument of the region in 'rnn.parallel'");
}

TEST(Schedule, Errors) {
  Program program(R"(
    rnn.schedule @f infer of @n streams 2 (%x: tensor<?x2xf32>) -> (y: tensor<f32> {rnn.rate = "static"}) {
      %y = rnn.reduction chunk ins(%x as %x0 frame) : (tensor<?x2xf32>) -> tensor<f32> {
        rnn.yield %x0 : tensor<f32>
      }
      rnn.return %y : tensor<f32>
    })");
  program.run("f", {{"x", floats({1, 2}, {1, 2})}}, 1, 2);
  EXPECT_EQ(program.error, "'rnn.reduction' op yields a value that varies per frame as one of rate static");
  program.run("f", {{"x", floats({1, 1}, {1})}}, 1, 1);
  EXPECT_EQ(program.error, "expected 2 streams, but got 1");
}

} // namespace
