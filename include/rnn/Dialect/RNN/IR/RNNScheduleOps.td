//===- RNNScheduleOps.td - Ops of level 2, the schedule -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A schedule works on whole sequences. A value of rate r and signal type tensor<S> has the type
//   frame: tensor<?xBxS>     stream: tensor<BxS>     static: tensor<S>
// with B the number of streams, or `?` in a schedule for any number of them,
// and a region's block argument has the signal type; the difference of their ranks (2, 1, 0) tells the rate.
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNSCHEDULEOPS_TD
#define RNN_DIALECT_RNN_IR_RNNSCHEDULEOPS_TD

include "rnn/Dialect/RNN/IR/RNNGraphOps.td"

def RNN_Sequence : Type<CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">, "sequence (ranked tensor)",
                        "::mlir::RankedTensorType">;

def RNN_ScheduleOp : RNN_Function<"schedule"> {
  let summary = "a function as an ordered list of regions over sequences";
  let description = [{
    Built by `rnn-partition` from a `rnn.network` or `rnn.step`. Arguments and results are sequences `[T, B, …]`, `[B, …]` or `[…]` by their rate.
    The body holds, in an order that respects dominance, `rnn.param`, `rnn.parallel`, `rnn.recurrent`, `rnn.reduction`, `rnn.keep`, `rnn.assign`, `rnn.guard` and ends in `rnn.return`.
    The ages of all frames (rule T4) are known everywhere and are no value of the schedule.
    `streams ?` is a schedule for any number of streams: B is `?` in its types and has one value in a call. Memory plans and machine code need a number.

    ```mlir
    rnn.schedule @net infer of @net streams 2 (%x: tensor<?x2x4xf32>) -> (y: tensor<?x2x4xf32>) { … }
    ```
  }];
  let arguments = !con(signature, (ins RNN_FunctionKindAttr:$kind, FlatSymbolRefAttr:$network, I64Attr:$streams,
      OptionalAttr<RNN_BPTTAttr>:$bptt,
      TypedArrayAttrBase<RNN_LossAttr, "losses">:$losses, TypedArrayAttrBase<RNN_LossAttr, "metrics">:$metrics));
  let extraClassDeclaration = [{
    /// H = window - advance, as in StepOp.
    int64_t getHistory() { return getBptt() ? getBptt()->getWindow() - getBptt()->getAdvance() : 0; }

    /// True if B is a number of each call: `getStreams()` is ShapedType::kDynamic, printed as `?`.
    bool hasAnyStreams() { return ::mlir::ShapedType::isDynamic(getStreams()); }

    /// Fails with an error if the schedule is for any number of streams.
    ::llvm::LogicalResult checkFixedStreams();

    /// Fails with an error unless rnn-plan-memory has given every result a place.
    ::llvm::LogicalResult checkMemoryPlan();
  }];
}

/// A region over sequences: `ins` are its operands, one block argument each.
class RNN_RegionOp<string mnemonic, list<Trait> traits = []>
    : RNN_Op<mnemonic, traits # [HasParent<"ScheduleOp">, IsolatedFromAbove, SingleBlock,
        RecursiveMemoryEffects, DeclareOpInterfaceMethods<RegionKindInterface>, HasOnlyGraphRegion]> {
  let results = (outs Variadic<RNN_Sequence>:$outs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_ParallelOp : RNN_RegionOp<"parallel"> {
  let summary = "work that every frame does on its own";
  let description = [{
    The body is evaluated at every point of the domain: every frame and stream of the chunk or window, every stream, or once.
    Its ops are level-1 ops without a cycle, in order.
    A `rnn.delay` here reads the sequence of a block argument at another frame; a `rnn.save` turns the chunk's sequence of a block argument into the window's.

    ```mlir
    %g = rnn.parallel chunk ins(%x as %x0 frame, %w as %w0 static) : (tensor<?x2x4xf32>, tensor<8x4xf32>) -> tensor<?x2x8xf32> {
      %0 = rnn.contract %w0, %x0 … : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8xf32>
      rnn.yield %0 : tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins RNN_DomainAttr:$domain, Variadic<RNN_Sequence>:$ins, OptionalAttr<ArrayAttr>:$slots);
}

def RNN_RecurrentOp : RNN_RegionOp<"recurrent"> {
  let summary = "a loop over frames";
  let description = [{
    The body is evaluated frame by frame, forwards (causal) or backwards (anticausal), for all streams.
    It is a graph region: its delays come first and refer to values below, all else is in order within the frame.

    ```mlir
    %h = rnn.recurrent causal chunk ins(%g as %g0 frame, %w as %w0 static) : (tensor<?x2x4xf32>, tensor<4x4xf32>) -> tensor<?x2x4xf32> {
      %h1 = rnn.delay %h by 1 state "h" : tensor<4xf32>
      %u = rnn.contract %w0, %h1 … : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %s = rnn.sum %g0, %u : tensor<4xf32>
      %h = math.tanh %s : tensor<4xf32>
      rnn.yield %h : tensor<4xf32>
    }
    ```

    `loop` tells how a GPU runs it: written by `rnn-assign-schedule`, or by hand. Code generators for GPUs obey it or fail; without it they choose.
  }];
  let arguments = (ins RNN_DirectionAttr:$direction, RNN_DomainAttr:$domain, Variadic<RNN_Sequence>:$ins,
                       OptionalAttr<ArrayAttr>:$slots, OptionalAttr<RNN_LoopAttr>:$loop);
}

def RNN_ReductionOp : RNN_RegionOp<"reduction"> {
  let summary = "sums over the frames of a domain";
  let description = [{
    Every yielded value is the result of a `rnn.sum_frames`, or of a `rnn.contract` or `rnn.scatter_add` with `sum_to`; the ops before them work on single frames.
    Frames of age -1 are left out (rule A6); the order of the sum is fixed (rule N3).
  }];
  let arguments = (ins RNN_DomainAttr:$domain, Variadic<RNN_Sequence>:$ins, OptionalAttr<ArrayAttr>:$slots);
}

def RNN_KeepOp : RNN_Op<"keep", [HasParent<"ScheduleOp">]> {
  let summary = "the frames of a sequence that the next call will need";
  let description = [{
    After the step the session's tensor `name` (`state.…` or `ring.…`) holds the last `frames` frames of its old content followed by the chunk (rules T3, A3).

    ```mlir
    rnn.keep %h as "state.h" frames 3 : tensor<?x2x4xf32>
    ```
  }];
  let arguments = (ins RNN_Sequence:$source, StrAttr:$name, I64Attr:$frames);
  let assemblyFormat = "$source `as` $name `frames` $frames attr-dict `:` type($source)";
}

def RNN_YieldOp : RNN_Op<"yield", [Terminator, Pure, HasParent<"ParallelOp, RecurrentOp, ReductionOp">]> {
  let summary = "the results of a region";
  let arguments = (ins Variadic<RNN_Signal>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

def RNN_ReturnOp : RNN_Op<"return", [Terminator, Pure, HasParent<"ScheduleOp">]> {
  let summary = "the results of a schedule";
  let arguments = (ins Variadic<RNN_Sequence>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

#endif // RNN_DIALECT_RNN_IR_RNNSCHEDULEOPS_TD
