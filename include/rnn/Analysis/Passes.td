//===- Passes.td - Passes that print and check ----------*- tablegen -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// None of them changes anything; what they print goes to stderr.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_ANALYSIS_PASSES_TD
#define RNN_ANALYSIS_PASSES_TD

include "mlir/Pass/PassBase.td"

class RNN_PrintPass<string name> : Pass<name, "::mlir::ModuleOp"> {
  let options = [Option<"format", "format", "std::string", "\"text\"", "text or json">];
}

def PrintRecurrence : RNN_PrintPass<"rnn-print-recurrence"> {
  let summary = "Print what must run in time order";
  let description = [{
    One line per component of every network and step, in topological order, ties by text: what runs for all frames at once, and each loop with its stages (exchanges of a whole vector per frame), what it carries and its shortest cycle.
    The values of a cycle are told without the delays on it.
    A line with the function's name comes first where the module has several.

    ```mlir
    rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
      %h1 = rnn.delay %h by 1 : tensor<4xf32>
      %s = arith.addf %x, %h1 : tensor<4xf32>
      %h = math.tanh %s : tensor<4xf32>
      %y = math.exp %h : tensor<4xf32>
      rnn.output %y : tensor<4xf32>
    }
    // component 1: recurrent causal, stages 0, carried %h[1], cycle %h -> %1 -> %h
    // component 2: parallel, math.exp %y
    ```
  }];
}

def PrintAffine : RNN_PrintPass<"rnn-print-affine"> {
  let summary = "Print which loops can run as scans";
  let description = [{
    One line per loop of every network and step, numbered as by `rnn-print-recurrence`: the loop is a scan if all that it carries is affine and elementwise in what it carried before, wherever on the cycle the delay sits; else the line names the first op that is in the way.
    The order of a scan is the number of earlier values that a unit depends on.

    ```mlir
    rnn.network @net(%a: tensor<4xf32>, %x: tensor<4xf32>) -> (h: tensor<4xf32>, g: tensor<4xf32>) {
      %h1 = rnn.delay %h by 1 : tensor<4xf32>
      %keep = arith.mulf %a, %h1 : tensor<4xf32>
      %h = arith.addf %keep, %x : tensor<4xf32>
      %g1 = rnn.delay %g by 1 : tensor<4xf32>
      %s = arith.addf %g1, %h : tensor<4xf32>
      %g = math.tanh %s : tensor<4xf32>
      rnn.output %h, %g : tensor<4xf32>, tensor<4xf32>
    }
    // component 1: scan causal, order 1, carried %h[1]
    // component 2: loop causal, 'math.tanh' of %g is not affine
    ```
  }];
}

def PrintAbi : RNN_PrintPass<"rnn-print-abi"> {
  let summary = "Print the tensors that functions exchange with their caller";
  let description = [{
    The flat namespace of every public function (docs/Artifact.md): arguments, parameters, optimizer slots, carried state, rings and results, in the order of the artifact's table, with T and B for frames and streams.

    ```mlir
    rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
      %h1 = rnn.delay %h by 2 : tensor<4xf32>
      %h = arith.addf %x, %h1 : tensor<4xf32>
      rnn.output %h : tensor<4xf32>
    }
    // function net, infer
    //   argument x: f32 [T,B,4]
    //   state state.h: f32 [2,B,4], fill 0
    //   state state.age: i64 [B], fill -1
    //   state state.frame: i64 [], fill 0
    //   result h: f32 [T,B,4]
    ```
  }];
}

def VerifyGraph : Pass<"rnn-verify-graph", "::mlir::ModuleOp"> {
  let summary = "Check that networks and steps are flat, sorted and named";
  let description = [{
    The border of level 1: errors at the first op that a flat graph does not allow (a composite, a call, `rnn.linear`, anything of level 2), that reads a value further down though it is no delay, or that keeps state without a name or draws random numbers without an id.

    ```mlir
    // Allowed
    %h1 = rnn.delay %h by 1 name "h" state "h" : tensor<4xf32>
    // Not allowed: 'rnn.delay' op has no name for its state; run rnn-assign-ids first
    %h1 = rnn.delay %h by 1 name "h" : tensor<4xf32>
    ```
  }];
}

#endif // RNN_ANALYSIS_PASSES_TD
