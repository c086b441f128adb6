//===- Passes.td - Passes on level 1, the graph ---------*- tablegen -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the order of the pipelines `rnn-to-graph` and `rnn-to-gradient`.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_TRANSFORMS_PASSES_TD
#define RNN_DIALECT_RNN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Inline : Pass<"rnn-inline", "::mlir::ModuleOp"> {
  let summary = "Write out calls of networks";
  let description = [{
    Replaces every `rnn.call "l0" @cell(…)` by a copy of the body of `@cell`, whose signals, cells and calls are renamed `l0.<name>`.
    Afterwards no `rnn.call` is left. A network that calls itself, directly or through others, is an error, and so are a cycle without a delay or a wrong rate that calls have hidden.

    ```mlir
    // Before
    %h = rnn.call "l0" @cell(%x) : (tensor<4xf32>) -> tensor<4xf32>
    // After
    %h1 = rnn.delay %h by 1 name "l0.h" : tensor<4xf32>
    %h = arith.addf %x, %h1 : tensor<4xf32>
    ```
  }];
  let statistics = [Statistic<"callsInlined", "calls-inlined", "calls written out">];
}

def Specialise : Pass<"rnn-specialise", "::mlir::ModuleOp"> {
  let summary = "Fix what depends on the mode: training, evaluation or inference";
  let description = [{
    With `mode=infer` a network loses the results that only a step uses, its losses, metrics and masks, and the arguments that only they need (rule S6): what a loss compares with is no input of inference.
    Networks that would lose every result, and networks that still have a `rnn.train_step`, are left alone; run `rnn-build-step` first.
    A `rnn.training` becomes false, so that what is drawn only for training is gone; `rnn-build-step` has made it true in training steps and false in their evaluation. Other random ops draw alike in every mode; `train` and `eval` change nothing.

    ```mlir
    // Before
    rnn.network @net(%x: tensor<4xf32>, %target: tensor<4xf32>) -> (y: tensor<4xf32>, mse: tensor<f32>) { … }
    // After
    rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) { … }
    ```
  }];
  let options = [Option<"mode", "mode", "std::string", "\"train\"", "train, eval or infer">];
}

def SetFloat : Pass<"rnn-set-float", "::mlir::ModuleOp"> {
  let summary = "Widen every f32 to f64, for checking";
  let description = [{
    Turns every f32 type of a level-1 module into f64 (rule N2). Constants and initializers keep their f32 values: they are rounded to f32 and widened, and parameters carry `rnn.precision = "f32"`, so that their draws do the same.
    `arith.extf` and `arith.truncf` between f32 and f64 disappear. Products go on rounding their operands where `round_to` says so.

    ```mlir
    // Before
    %c = arith.constant dense<0.1> : tensor<4xf32>
    // After
    %c = arith.constant dense<0.10000000149011612> : tensor<4xf64>
    ```
  }];
  let options = [Option<"type", "type", "std::string", "\"f64\"", "the element type; only f64">];
}

def SetMatmulPrecision : Pass<"rnn-set-matmul-precision", "::mlir::ModuleOp"> {
  let summary = "Round the operands of products";
  let description = [{
    Gives every `rnn.contract` of floating-point numbers that adds anything up `round_to bf16` (rule N2), so that a target may use units that multiply nothing wider. Sums, sequences, states and parameters keep their precision.
    Products of fewer than two summed elements, in a frame or over frames, stay as they are.

    ```mlir
    // Before
    %y = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)]
       : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
    // After
    %y = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] round_to bf16
       : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
    ```
  }];
  let options = [Option<"precision", "precision", "std::string", "\"bf16\"", "f32 (nothing is done) or bf16">];
}

def ExpandCells : Pass<"rnn-expand-cells", "::mlir::ModuleOp"> {
  let summary = "Write out cells, losses and rnn.linear as plain graphs";
  let description = [{
    Replaces composite ops (`CompositeOpInterface`) by the subgraph that they stand for, and `rnn.linear` by `rnn.contract` and a `rnn.sum` with the bias.
    Nothing after this pass knows a cell. `cells` limits it to ops of these names, e.g. `cells=lstm,linear`.

    ```mlir
    // Before
    %y = rnn.linear %x, %w, %b : (tensor<8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<4xf32>
    // After
    %0 = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)]
       : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
    %y = rnn.sum %0, %b : tensor<4xf32>
    ```
  }];
  let options = [ListOption<"cells", "cells", "std::string", "the ops to expand (all)">];
  let statistics = [Statistic<"cellsExpanded", "cells-expanded", "composite ops written out">];
}

def SimplifyDelays : Pass<"rnn-simplify-delays", "::mlir::ModuleOp"> {
  let summary = "Merge chains of carried delays, share equal delays, drop dead signals";
  let description = [{
    A carried delay of a carried delay, both without init, is one delay by the sum of their frames; equal delays are one; signals that reach no result are gone, dead cycles included.
    This comes before `rnn-assign-ids` and decides what state a network carries. A ring of delays alone, and sums beyond the largest delay, are left as they are.

    ```mlir
    // Before
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %h3 = rnn.delay %h1 by 2 : tensor<4xf32>
    // After
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %h3 = rnn.delay %h by 3 name "h" : tensor<4xf32>
    ```
  }];
  let statistics = [Statistic<"delaysMerged", "delays-merged", "delays that now read an earlier source">,
                    Statistic<"delaysShared", "delays-shared", "delays replaced by an equal one">,
                    Statistic<"signalsErased", "signals-erased", "ops that reached no result">];
}

def Sort : Pass<"rnn-sort", "::mlir::ModuleOp"> {
  let summary = "Put networks and steps into the order of their components";
  let description = [{
    Orders the ops of every network and step: components in topological order, within a component the order of one frame, delays first (their source edge is cut), ties by text.
    Afterwards only delays refer to values further down. Sorting twice changes nothing.

    ```mlir
    // Before
    %h = arith.addf %a, %h1 : tensor<4xf32>
    %a = math.tanh %x : tensor<4xf32>
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    // After
    %a = math.tanh %x : tensor<4xf32>
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %h = arith.addf %a, %h1 : tensor<4xf32>
    ```
  }];
}

def AssignIds : Pass<"rnn-assign-ids", "::mlir::ModuleOp"> {
  let summary = "Name states and random ops for good";
  let description = [{
    Every carried delay learns the name of the state that it reads (`state.<name>`), every `rnn.random` a number of its own; both are part of the ABI from here on (rules S5, N1).
    Ids that are there already stay; one that occurs twice is an error.

    ```mlir
    // Before
    %h1 = rnn.delay %h by 1 name "h" : tensor<4xf32>
    %n = rnn.random normal <frame> : tensor<4xf32>
    // After
    %h1 = rnn.delay %h by 1 name "h" state "h" : tensor<4xf32>
    %n = rnn.random normal <frame> id 1 : tensor<4xf32>
    ```
  }];
}

def BuildStep : Pass<"rnn-build-step", "::mlir::ModuleOp"> {
  let summary = "Make training and evaluation steps";
  let description = [{
    Replaces every `rnn.train_step @step` by two `rnn.step` (rules S1 to S4, S6).
    `@step` holds a copy of the network, the sums of its losses over the frames that `mask` admits, one `rnn.gradient` with respect to all trained parameters, clipping, and the optimizer as static arithmetic; `@step.eval` holds the copy and the sums, and returns the results of the network as well; `rnn.training` is true in the one and false in the other.
    Slots of the optimizer become parameters `opt.<slot>.<parameter>`. Where loss or gradient is not finite, `rnn.guard` holds all assigns back.

    ```mlir
    // Before
    rnn.train_step @step of @net loss("mse" mean) optimizer(#rnn.sgd<lr = 0.1>)
    // After
    rnn.step @step train of @net losses […] (%x: tensor<4xf32>, %mask: tensor<i1> {…}, %lr: tensor<f32> {…})
        -> (loss: tensor<f32> {…}, sum.mse: tensor<f32> {…}, count.mse: tensor<i64> {…}, grad_norm: tensor<f32> {…}) {
      …
      %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<4x4xf32>) -> tensor<4x4xf32>
      …
      rnn.assign @w, %new : tensor<4x4xf32>
    }
    rnn.step @step.eval eval of @net …
    ```
  }];
  let options = [ListOption<"of", "of", "std::string", "the train steps to build (all)">,
                 ListOption<"keep", "keep", "std::string", "gradients, results: what a train step returns as well">];
}

def Differentiate : Pass<"rnn-differentiate", "::mlir::ModuleOp"> {
  let summary = "Replace every gradient by adjoint ops in the same region";
  let description = [{
    Replaces each `rnn.gradient`, innermost first, by the graph of adjoints (rules A0 to A7): a delay by d of a signal becomes a local delay by -d of its error, a product two products, and the errors of all uses of a value one `rnn.sum`.
    Adjoint ops read the primal graph through `rnn.save` and lie in the window; the gradient of a parameter is a product summed over all its frames and streams, so that it needs no loop.
    Derivative rules are the op interface `AdjointOpInterface`; an op without one that lies between a parameter and the loss is an error.

    ```mlir
    // Before
    %h1 = rnn.delay %h by 1 : tensor<4xf32>
    %h = math.tanh %s : tensor<4xf32>
    %g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    // After: %eh and %es are the errors of %h and %s
    %later = rnn.delay %eh1 by -1 local : tensor<4xf32>
    %eh = rnn.sum %later, %out : tensor<4xf32>
    %hs = rnn.save %h ring "0" : tensor<4xf32>
    …
    %g = rnn.contract %es, %h1s […] sum_to static : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
    ```
  }];
}

def KeepSignals : Pass<"rnn-keep-signals", "::mlir::ModuleOp"> {
  let summary = "Return every signal, to look for the first that is wrong";
  let description = [{
    Networks and steps return what they compute for every frame of the chunk as results `signals.<name>`, in the order of the text; names are those of messages, and what is a delay of another signal is left out.
    `rnn-run --compare` asks for it after a difference (`rnn-compile --keep=signals`).

    ```mlir
    // Before
    rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) { … }
    // After
    rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>, signals.2: tensor<4xf32>, signals.h: tensor<4xf32>) { … }
    ```
  }];
}

#endif // RNN_DIALECT_RNN_TRANSFORMS_PASSES_TD
