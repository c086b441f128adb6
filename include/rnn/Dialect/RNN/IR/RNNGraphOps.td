//===- RNNGraphOps.td - Ops of level 1, the graph -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Signals are ranked tensors (rule R4). Unless an op says otherwise it is pure, works on one frame of one stream, and has
// the highest rate of its operands (rule R2).
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNGRAPHOPS_TD
#define RNN_DIALECT_RNN_IR_RNNGRAPHOPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "rnn/Dialect/RNN/IR/RNNModuleOps.td"

def RNN_Signal : Type<CPred<"::mlir::rnn::isSignalType($_self)">, "signal (ranked tensor of static shape)",
                      "::mlir::RankedTensorType">;

/// A signed distance in frames: its accessor gives an int64_t, where I64Attr's would give an unsigned number.
def RNN_FramesAttr : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signed number of frames">;

//===----------------------------------------------------------------------===//
// Parameters and time
//===----------------------------------------------------------------------===//

def RNN_ParamOp : RNN_Op<"param", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a parameter";
  let description = "Static. Reads the value that the parameter had before the step.";
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$parameter attr-dict `:` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::llvm::StringRef":$parameter), [{
    build($_builder, $_state, type, ::mlir::FlatSymbolRefAttr::get($_builder.getContext(), parameter));
  }]>];
}

def RNN_DelayOp : RNN_Op<"delay", [
    Pure, HasParent<"NetworkOp, StepOp, ParallelOp, RecurrentOp, ReductionOp">]> {
  let summary = "a signal some frames earlier or later";
  let description = [{
    The value of `source` at frame t-d where that is valid, else `init` at frame t, else zero (rules T1, T2, T5).
    A delay d > 0 is carried across chunks unless it is `local`; a delay d < 0 is local.
    `name` is the name of the delayed signal, by default the spelling of the operand.
    `state`, given by `rnn-assign-ids`, names the carried frames in the ABI (`state.<state>`).

    ```mlir
    %h1 = rnn.delay %h by 1 : tensor<256xf32>
    %z = rnn.delay %x by -2 init(%p) : tensor<8xf32>
    ```
  }];
  let arguments = (ins RNN_Signal:$source, RNN_FramesAttr:$by, Optional<RNN_Signal>:$init, UnitAttr:$local,
                       OptionalAttr<StrAttr>:$name, OptionalAttr<StrAttr>:$state);
  let results = (outs RNN_Signal:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$source, "int64_t":$by, CArg<"::llvm::StringRef", "{}">:$name,
                                 CArg<"::mlir::Value", "{}">:$init, CArg<"bool", "false">:$local)>];
  let extraClassDeclaration = [{
    /// True if the delay reads frames of older chunks.
    bool isCarried() { return static_cast<int64_t>(getBy()) > 0 && !getLocal(); }
  }];
}

def RNN_RandomOp : RNN_Op<"random", []> {
  let summary = "random numbers";
  let description = [{
    Independent draws per element, and per frame and stream at frame rate (rule N1); uniform on [0, 1) or standard normal.
    `id`, unique in the module, is given by `rnn-assign-ids`.
  }];
  let arguments = (ins RNN_RandomKindAttr:$kind, RNN_RateAttr:$rate, OptionalAttr<I32Attr>:$id);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "`` $kind $rate (`id` $id^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def RNN_TrainingOp : RNN_Op<"training", [Pure]> {
  let summary = "whether the function trains";
  let description = [{
    Static; true in a training step, false in its evaluation and in inference.
    `rnn-build-step` and `rnn-specialise` replace it, and a select between two signals by it becomes one of them: a network that drops units while it is trained draws no numbers elsewhere.

    ```mlir
    %trains = rnn.training : tensor<8xi1>
    %y = arith.select %trains, %noisy, %x : tensor<8xi1>, tensor<8xf32>
    ```
  }];
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Products and sums
//===----------------------------------------------------------------------===//

def RNN_LinearOp : RNN_Op<"linear", [Pure]> {
  let summary = "matrix-vector product with optional bias";
  let description = [{
    `weight · input (+ bias)`: input [K], weight [M, K], bias [M], result [M].
    The short form of a `rnn.contract` and a `rnn.sum`; `rnn-expand-cells` writes it out.
  }];
  let arguments = (ins RNN_Signal:$input, RNN_Signal:$weight, Optional<RNN_Signal>:$bias);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$weight, CArg<"::mlir::Value", "{}">:$bias)>];
}

def RNN_ContractOp : RNN_Op<"contract", [Pure]> {
  let summary = "product of two tensors, summed over the dimensions that the result lacks";
  let description = [{
    Indexing maps are projected permutations, as in `linalg.contract`, for `lhs`, `rhs` and the result; together they name every dimension.
    With `sum_to` the products are also summed over the frames of the domain (and, for `static`, over the streams): rules R2, A6.
    With `round_to bf16` both operands are rounded to the nearest bf16, ties to even, before they are multiplied (f64 by way of f32); products and sums have the element type as ever.
    A derivative takes the slope of that rounding as 1, and rounds the operands of its own products.

    ```mlir
    %y = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)]
       : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
    %dw = rnn.contract %e, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static
       : (tensor<4xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    %z = rnn.contract %w, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] round_to bf16
       : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins RNN_Signal:$lhs, RNN_Signal:$rhs, AffineMapArrayAttr:$indexing_maps,
                       OptionalAttr<RNN_RateAttr>:$sum_to, OptionalAttr<TypeAttr>:$round_to);
  let results = (outs RNN_Signal:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::AffineMap getMap(unsigned i) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[i]).getValue();
    }
    /// The size of each dimension of the iteration space, in order; summed ones included.
    ::llvm::SmallVector<int64_t> getLoopSizes();
  }];
}

def RNN_SumOp : RNN_Op<"sum", [Pure, SameOperandsAndResultType]> {
  let summary = "n-ary sum, n >= 1";
  let description = [{
    The terms are added in order, a term of lower rate being spread (rules R2, R3).
    N-ary, because a sum may be split at the border of a loop.
  }];
  let arguments = (ins Variadic<RNN_Signal>:$terms);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$terms attr-dict `:` type($result)";
}

def RNN_ReduceOp : RNN_Op<"reduce", [Pure]> {
  let summary = "reduction within a frame";
  let description = "Combines the elements along `dims` (strictly increasing), which the result lacks, in order.";
  let arguments = (ins RNN_ReduceKindAttr:$kind, RNN_Signal:$source, DenseI64ArrayAttr:$dims);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "`` $kind $source `over` $dims attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
}

def RNN_BroadcastOp : RNN_Op<"broadcast", [Pure]> {
  let summary = "repeats a tensor along new dimensions";
  let description = "`dims` (strictly increasing) are the dimensions of the result that the source lacks.";
  let arguments = (ins RNN_Signal:$source, DenseI64ArrayAttr:$dims);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$source `along` $dims attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
}

def RNN_GatherOp : RNN_Op<"gather", [Pure]> {
  let summary = "rows of a table by index";
  let description = [{
    `result[i…, r…] = table[index[i…], r…]`; a scalar index gives one row.
    An index out of range gives zeros, no gradient, and sets flag 2 of the step (rule N3).
  }];
  let arguments = (ins RNN_Signal:$table, RNN_Signal:$index);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$table `,` $index attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def RNN_ScatterAddOp : RNN_Op<"scatter_add", [Pure]> {
  let summary = "adds rows into a table of zeros by index; the adjoint of gather";
  let description = [{
    `result[index[i…], r…] += update[i…, r…]`, in order; indices out of range are left out.
    With `sum_to` the result is also summed over the frames of the domain (rules R2, A6).
  }];
  let arguments = (ins RNN_Signal:$update, RNN_Signal:$index, OptionalAttr<RNN_RateAttr>:$sum_to);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$update `,` $index (`sum_to` $sum_to^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def RNN_SumFramesOp : RNN_Op<"sum_frames", [Pure, SameOperandsAndResultType]> {
  let summary = "sum over the frames of the domain";
  let description = [{
    The sum over all frames and streams, or with `sum_to stream` over the frames of each stream (rule R2).
    The operand is spread to frame rate first (rule R3); frames of age -1 are left out (rule A6).
  }];
  let arguments = (ins RNN_Signal:$source, OptionalAttr<RNN_RateAttr>:$sum_to);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$source (`sum_to` $sum_to^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Between chunk and window (rule A3)
//===----------------------------------------------------------------------===//

def RNN_SaveOp : RNN_Op<"save", [Pure, SameOperandsAndResultType]> {
  let summary = "a primal signal over the window: new frames as computed now, old frames as computed then";
  let description = "`ring` names the kept frames in the ABI (`ring.<ring>`). Frame rate.";
  let arguments = (ins RNN_Signal:$source, StrAttr:$ring);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$source `ring` $ring attr-dict `:` type($result)";
}

def RNN_SeedOp : RNN_Op<"seed", [Pure, SameOperandsAndResultType]> {
  let summary = "spreads an error over the new frames of the window";
  let description = "The operand, of static or stream rate, at the frames of the chunk; zero at older frames. Frame rate.";
  let arguments = (ins RNN_Signal:$source);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$source attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

class RNN_UnaryOp<string mnemonic> : RNN_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let arguments = (ins RNN_Signal:$source);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$source attr-dict `:` type($result)";
}
def RNN_SigmoidOp : RNN_UnaryOp<"sigmoid"> {
  let summary = "1 / (1 + exp(-x)), elementwise, of floating-point numbers";
  let hasVerifier = 1;
}
def RNN_SoftplusOp : RNN_UnaryOp<"softplus"> {
  let summary = "log(1 + exp(x)), elementwise, of floating-point numbers, without overflow";
  let hasVerifier = 1;
}
def RNN_StopGradientOp : RNN_UnaryOp<"stop_gradient"> {
  let summary = "the identity, with derivative zero";
}

//===----------------------------------------------------------------------===//
// Steps, calls, terminator
//===----------------------------------------------------------------------===//

def RNN_GradientOp : RNN_Op<"gradient", [Pure]> {
  let summary = "derivatives of a static scalar";
  let description = [{
    The derivatives of `loss` with respect to each value of `wrt`, of the same types and rates.
    `rnn-differentiate` replaces the op by a graph of adjoints; nested use gives second derivatives (rule A0).
  }];
  let arguments = (ins RNN_Signal:$loss, Variadic<RNN_Signal>:$wrt);
  let results = (outs Variadic<RNN_Signal>:$grads);
  let assemblyFormat = "$loss `wrt` `(` $wrt `)` attr-dict `:` functional-type(operands, $grads)";
  let hasVerifier = 1;
}

def RNN_AssignOp : RNN_Op<"assign", [HasParent<"StepOp, ScheduleOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a parameter after the step";
  let arguments = (ins FlatSymbolRefAttr:$parameter, RNN_Signal:$value);
  let assemblyFormat = "$parameter `,` $value attr-dict `:` type($value)";
}

def RNN_GuardOp : RNN_Op<"guard", [HasParent<"StepOp, ScheduleOp">]> {
  let summary = "the condition under which a step has an effect";
  let description = [{
    Where the static `tensor<i1>` operand is false, no assign and no new state becomes visible, and flag 1 of the step is set (rule S4).
    At most one per step.
  }];
  let arguments = (ins RNN_Signal:$condition);
  let assemblyFormat = "$condition attr-dict `:` type($condition)";
  let hasVerifier = 1;
}

def RNN_CallOp : RNN_Op<"call", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "an instance of another network";
  let description = [{
    Stands for a copy of the network's body, its signals named `<name>.<signal>`; `rnn-inline` writes it out.

    ```mlir
    %h = rnn.call "l0" @cell(%x) : (tensor<8xf32>) -> tensor<16xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, FlatSymbolRefAttr:$callee, Variadic<RNN_Signal>:$arguments);
  let results = (outs Variadic<RNN_Signal>:$results);
  let assemblyFormat = "$name $callee `(` $arguments `)` attr-dict `:` functional-type($arguments, $results)";
}

def RNN_OutputOp : RNN_Op<"output", [Terminator, Pure, HasParent<"NetworkOp, StepOp">]> {
  let summary = "the results of a network or step";
  let arguments = (ins Variadic<RNN_Signal>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

#endif // RNN_DIALECT_RNN_IR_RNNGRAPHOPS_TD
