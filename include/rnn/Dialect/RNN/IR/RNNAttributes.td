//===- RNNAttributes.td - Attributes of the rnn dialect -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNATTRIBUTES_TD
#define RNN_DIALECT_RNN_IR_RNNATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "rnn/Dialect/RNN/IR/RNNDialect.td"
include "rnn/Dialect/RNN/IR/RNNInterfaces.td"

//===----------------------------------------------------------------------===//
// Enums
//===----------------------------------------------------------------------===//

def RNN_Rate : I32EnumAttr<"Rate", "how often a value changes", [
  I32EnumAttrCase<"Static", 0, "static">,
  I32EnumAttrCase<"Stream", 1, "stream">,
  I32EnumAttrCase<"Frame", 2, "frame">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_RateAttr : EnumAttr<RNN_Dialect, RNN_Rate, "rate"> {
  let assemblyFormat = "`<` $value `>`";
}

def RNN_Domain : I32EnumAttr<"Domain", "the points that a schedule region covers", [
  I32EnumAttrCase<"Static", 0, "static">,
  I32EnumAttrCase<"Stream", 1, "stream">,
  I32EnumAttrCase<"Chunk", 2, "chunk">,
  I32EnumAttrCase<"Window", 3, "window">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_DomainAttr : EnumAttr<RNN_Dialect, RNN_Domain, "domain"> {
  let assemblyFormat = "$value";
}

def RNN_Direction : I32EnumAttr<"Direction", "the order in which a loop visits frames", [
  I32EnumAttrCase<"Causal", 0, "causal">,
  I32EnumAttrCase<"Anticausal", 1, "anticausal">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_DirectionAttr : EnumAttr<RNN_Dialect, RNN_Direction, "direction"> {
  let assemblyFormat = "$value";
}

def RNN_ReduceKind : I32EnumAttr<"ReduceKind", "combining function of a reduction within a frame", [
  I32EnumAttrCase<"Sum", 0, "sum">,
  I32EnumAttrCase<"Max", 1, "max">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_ReduceKindAttr : EnumAttr<RNN_Dialect, RNN_ReduceKind, "reduce_kind"> {
  let assemblyFormat = "$value";
}

def RNN_RandomKind : I32EnumAttr<"RandomKind", "distribution of a random signal", [
  I32EnumAttrCase<"Uniform", 0, "uniform">,
  I32EnumAttrCase<"Normal", 1, "normal">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_RandomKindAttr : EnumAttr<RNN_Dialect, RNN_RandomKind, "random_kind"> {
  let assemblyFormat = "$value";
}

def RNN_ForgetKind : I32EnumAttr<"ForgetKind", "what an LSTM keeps of its cell", [
  I32EnumAttrCase<"Gate", 0, "gate">,
  I32EnumAttrCase<"Coupled", 1, "coupled">,
  I32EnumAttrCase<"None", 2, "none">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_ForgetKindAttr : EnumAttr<RNN_Dialect, RNN_ForgetKind, "forget_kind"> {
  let assemblyFormat = "$value";
}

def RNN_ResetKind : I32EnumAttr<"ResetKind", "where the reset gate of a GRU acts", [
  I32EnumAttrCase<"After", 0, "after">,
  I32EnumAttrCase<"Before", 1, "before">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_ResetKindAttr : EnumAttr<RNN_Dialect, RNN_ResetKind, "reset_kind"> {
  let assemblyFormat = "$value";
}

def RNN_Activation : I32EnumAttr<"Activation", "activation of an Elman cell", [
  I32EnumAttrCase<"Tanh", 0, "tanh">,
  I32EnumAttrCase<"Relu", 1, "relu">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_ActivationAttr : EnumAttr<RNN_Dialect, RNN_Activation, "activation"> {
  let assemblyFormat = "$value";
}

def RNN_FunctionKind : I32EnumAttr<"FunctionKind", "what a compiled function is for", [
  I32EnumAttrCase<"Train", 0, "train">,
  I32EnumAttrCase<"Eval", 1, "eval">,
  I32EnumAttrCase<"Infer", 2, "infer">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}
def RNN_FunctionKindAttr : EnumAttr<RNN_Dialect, RNN_FunctionKind, "function_kind"> {
  let assemblyFormat = "$value";
}

def RNN_LossReduction : I32EnumAttr<"LossReduction", "how a loss is reduced over frames", [
  I32EnumAttrCase<"Mean", 0, "mean">,
  I32EnumAttrCase<"Sum", 1, "sum">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}

//===----------------------------------------------------------------------===//
// Initializers: how the runtime draws a parameter (rule N1b)
//===----------------------------------------------------------------------===//

class RNN_Initializer<string name, string mnem>
    : AttrDef<RNN_Dialect, name, [DeclareAttrInterfaceMethods<RNN_InitializerAttrInterface>]> {
  let mnemonic = mnem;
}

def RNN_ZerosAttr : RNN_Initializer<"Zeros", "zeros"> {
  let summary = "all elements 0";
}
def RNN_ConstantAttr : RNN_Initializer<"Constant", "constant"> {
  let summary = "all elements equal";
  let parameters = (ins "::mlir::rnn::Real":$value);
  let assemblyFormat = "`<` $value `>`";
}
def RNN_UniformAttr : RNN_Initializer<"Uniform", "uniform"> {
  let summary = "uniform between two bounds; without bounds ±1/sqrt(last dimension)";
  let parameters = (ins "std::optional<::mlir::rnn::Real>":$low, "std::optional<::mlir::rnn::Real>":$high);
  let builders = [AttrBuilder<(ins), [{ return $_get($_ctxt, std::nullopt, std::nullopt); }]>];
  let hasCustomAssemblyFormat = 1;
}
def RNN_NormalAttr : RNN_Initializer<"Normal", "normal"> {
  let summary = "normal distribution";
  let parameters = (ins DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$mean, DefaultValuedParameter<"::mlir::rnn::Real", "1.0">:$std);
  let assemblyFormat = "(`<` struct($mean, $std)^ `>`)?";
}
def RNN_OrthogonalAttr : RNN_Initializer<"Orthogonal", "orthogonal"> {
  let summary = "orthogonal rows or columns, in equal blocks along the first dimension";
  let parameters = (ins DefaultValuedParameter<"::mlir::rnn::Real", "1.0">:$gain, DefaultValuedParameter<"int64_t", "1">:$blocks);
  let builders = [AttrBuilder<(ins), [{ return $_get($_ctxt, 1.0, 1); }]>];
  let hasCustomAssemblyFormat = 1;
}

//===----------------------------------------------------------------------===//
// Train step
//===----------------------------------------------------------------------===//

def RNN_LossAttr : AttrDef<RNN_Dialect, "Loss"> {
  let mnemonic = "loss";
  let summary = "one loss or metric of a train step: a named result, how it is reduced, its weight and mask";
  let parameters = (ins
    "::mlir::StringAttr":$result,
    "::mlir::rnn::LossReduction":$reduction,
    "::mlir::rnn::Real":$weight,
    "::mlir::StringAttr":$mask);
  let assemblyFormat = "`<` $result `,` $reduction `,` $weight `,` $mask `>`";
}

def RNN_BPTTAttr : AttrDef<RNN_Dialect, "BPTT"> {
  let mnemonic = "bptt";
  let summary = "BPTT(h; h'): every `advance` new frames, go back over the last `window` frames";
  let parameters = (ins "int64_t":$window, "int64_t":$advance);
  let assemblyFormat = "`<` struct($window, $advance) `>`";
}

class RNN_Optimizer<string name, string mnem>
    : AttrDef<RNN_Dialect, name, [DeclareAttrInterfaceMethods<RNN_OptimizerAttrInterface>]> {
  let mnemonic = mnem;
}

def RNN_SGDAttr : RNN_Optimizer<"SGD", "sgd"> {
  let summary = "stochastic gradient descent with momentum, Nesterov's or not, by PyTorch's formula";
  let parameters = (ins
    DefaultValuedParameter<"::mlir::rnn::Real", "0.01">:$lr,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$momentum,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$weight_decay,
    DefaultValuedParameter<"bool", "false">:$nesterov);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def RNN_AdamAttr : RNN_Optimizer<"Adam", "adam"> {
  let summary = "Adam, with AMSGrad's maximum or not, by PyTorch's formula";
  let parameters = (ins
    DefaultValuedParameter<"::mlir::rnn::Real", "0.001">:$lr,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.9">:$beta1,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.999">:$beta2,
    DefaultValuedParameter<"::mlir::rnn::Real", "1e-8">:$eps,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$weight_decay,
    DefaultValuedParameter<"bool", "false">:$amsgrad);
  let hasCustomAssemblyFormat = 1;
}

def RNN_AdamWAttr : RNN_Optimizer<"AdamW", "adamw"> {
  let summary = "Adam with weight decay apart from the gradient, with AMSGrad's maximum or not, by PyTorch's formula";
  let parameters = (ins
    DefaultValuedParameter<"::mlir::rnn::Real", "0.001">:$lr,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.9">:$beta1,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.999">:$beta2,
    DefaultValuedParameter<"::mlir::rnn::Real", "1e-8">:$eps,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.01">:$weight_decay,
    DefaultValuedParameter<"bool", "false">:$amsgrad);
  let hasCustomAssemblyFormat = 1;
}

def RNN_RMSpropAttr : RNN_Optimizer<"RMSprop", "rmsprop"> {
  let summary = "RMSprop with momentum, centered or not, by PyTorch's formula";
  let parameters = (ins
    DefaultValuedParameter<"::mlir::rnn::Real", "0.01">:$lr,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.99">:$alpha,
    DefaultValuedParameter<"::mlir::rnn::Real", "1e-8">:$eps,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$momentum,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$weight_decay,
    DefaultValuedParameter<"bool", "false">:$centered);
  let hasCustomAssemblyFormat = 1;
}

def RNN_AdagradAttr : RNN_Optimizer<"Adagrad", "adagrad"> {
  let summary = "Adagrad, by PyTorch's formula";
  let parameters = (ins
    DefaultValuedParameter<"::mlir::rnn::Real", "0.01">:$lr,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$lr_decay,
    DefaultValuedParameter<"::mlir::rnn::Real", "1e-10">:$eps,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$weight_decay);
  let hasCustomAssemblyFormat = 1;
}

def RNN_AdadeltaAttr : RNN_Optimizer<"Adadelta", "adadelta"> {
  let summary = "Adadelta, by PyTorch's formula";
  let parameters = (ins
    DefaultValuedParameter<"::mlir::rnn::Real", "1.0">:$lr,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.9">:$rho,
    DefaultValuedParameter<"::mlir::rnn::Real", "1e-6">:$eps,
    DefaultValuedParameter<"::mlir::rnn::Real", "0.0">:$weight_decay);
  let hasCustomAssemblyFormat = 1;
}

//===----------------------------------------------------------------------===//
// Memory plan
//===----------------------------------------------------------------------===//

def RNN_SlotAttr : AttrDef<RNN_Dialect, "Slot"> {
  let mnemonic = "slot";
  let summary = "place of a value in the workspace";
  let description = [{
    The buffer of a value begins at byte `offset + per_frame * T` of the workspace.
    A sequence has one row `[B, …]` per frame of its domain.
  }];
  let parameters = (ins "int64_t":$offset, "int64_t":$per_frame);
  let assemblyFormat = "`<` struct(params) `>`";
}

//===----------------------------------------------------------------------===//
// How loops run
//===----------------------------------------------------------------------===//

def RNN_LoopRegime : I32EnumAttr<"LoopRegime", "how far a loop over frames spreads on a GPU", [
  I32EnumAttrCase<"OpByOp", 0, "op_by_op">,
  I32EnumAttrCase<"Independent", 1, "independent">,
  I32EnumAttrCase<"Block", 2, "block">,
  I32EnumAttrCase<"Cluster", 3, "cluster">,
  I32EnumAttrCase<"Grid", 4, "grid">
]> {
  let cppNamespace = "::mlir::rnn";
  let genSpecializedAttr = 0;
}

def RNN_LoopAttr : AttrDef<RNN_Dialect, "Loop"> {
  let mnemonic = "loop";
  let summary = "how a loop over frames is dealt out on a GPU";
  let description = [{
    `regime` as in the report of rnn-compile (docs/Tools.md). A block owns `units` units of `streams` streams; what is left out, or zero, is for the compiler to choose.

    ```mlir
    rnn.recurrent causal chunk ins(…) {loop = #rnn.loop<regime = grid, units = 8, streams = 2>} : …
    ```
  }];
  let parameters = (ins EnumParameter<RNN_LoopRegime>:$regime,
    DefaultValuedParameter<"int64_t", "0">:$units,
    DefaultValuedParameter<"int64_t", "0">:$streams);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // RNN_DIALECT_RNN_IR_RNNATTRIBUTES_TD
