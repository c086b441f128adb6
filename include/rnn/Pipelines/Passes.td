//===- Passes.td - The pass that pipelines are made of ---*- tablegen -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_PIPELINES_PASSES_TD
#define RNN_PIPELINES_PASSES_TD

include "mlir/Pass/PassBase.td"

def RunPhase : Pass<"rnn-run-phase", "::mlir::ModuleOp"> {
  let summary = "Run a phase unless the module has passed it";
  let description = [{
    Runs `passes` where the module attribute `rnn.level` names a lower level than `level`, or none, and then sets it.
    That makes every pipeline idempotent: on a module that is further on it does nothing.

    ```mlir
    // rnn-run-phase{level=graph passes=builtin.module(rnn-inline,rnn-sort)}
    module attributes {rnn.level = "graph"} { … }
    ```
  }];
  let options = [
    Option<"level", "level", "std::string", "\"graph\"", "graph, gradient, schedule or lowered">,
    ListOption<"passes", "passes", "::mlir::OpPassManager", "the passes of the phase: pipelines on builtin.module">];
}

def VerifyLowered : Pass<"rnn-verify-lowered", "::mlir::ModuleOp"> {
  let summary = "Check that nothing of the rnn dialect is left";
  let description = [{
    Errors at the first op of the `rnn` dialect.
  }];
}

#endif // RNN_PIPELINES_PASSES_TD
