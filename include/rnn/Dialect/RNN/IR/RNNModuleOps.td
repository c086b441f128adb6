//===- RNNModuleOps.td - Parameters, networks, train steps -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNMODULEOPS_TD
#define RNN_DIALECT_RNN_IR_RNNMODULEOPS_TD

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "rnn/Dialect/RNN/IR/RNNAttributes.td"

class RNN_Op<string mnemonic, list<Trait> traits = []> : Op<RNN_Dialect, mnemonic, traits>;

def RNN_ParameterOp : RNN_Op<"parameter", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "a parameter, or a slot of the optimizer";
  let description = [{
    Declares a static tensor that lives as long as the session: a weight, or with `slot` a value that the optimizer keeps.
    Networks read it with `rnn.param`, steps write it with `rnn.assign`; naming it twice ties weights.
    `frozen` parameters get no gradient.

    ```mlir
    rnn.parameter @l0.wh : tensor<512x128xf32> init(#rnn.orthogonal<blocks = 4>)
    rnn.parameter @table : tensor<256x64xf32> init(#rnn.normal<std = 0.1>) frozen
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type,
                       RNN_InitializerAttrInterface:$init, UnitAttr:$frozen, UnitAttr:$slot);
  let assemblyFormat = [{
    $sym_name `:` $type `init` `(` $init `)` (`frozen` $frozen^)? (`slot` $slot^)? attr-dict
  }];
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::RankedTensorType":$type,
                                 "::mlir::Attribute":$init)>];
  let hasVerifier = 1;
}

/// A function of the dialect: one region, named arguments and results.
class RNN_Function<string mnemonic, list<Trait> traits = []>
    : RNN_Op<mnemonic, traits # [
        Symbol, IsolatedFromAbove, SingleBlock, HasParent<"::mlir::ModuleOp">,
        DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>,
        DeclareOpInterfaceMethods<RNN_FunctionInterface, ["getFunctionKind"]>]> {
  dag signature = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       StrArrayAttr:$arg_names, StrArrayAttr:$result_names,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def RNN_NetworkOp : RNN_Function<"network", [
    DeclareOpInterfaceMethods<RegionKindInterface>, HasOnlyGraphRegion]> {
  let summary = "a recurrent network";
  let description = [{
    A graph region whose values are *signals*: one tensor per frame and stream.
    Cycles are use-def cycles; every cycle holds a `rnn.delay` (rule C1).
    The names of arguments and results are part of the interface of everything that is built from the network.
    Attributes on arguments: `rnn.rate` (frame unless given), and `rnn.reset` on at most one `tensor<i1>`.

    ```mlir
    rnn.network @integrator(%x: tensor<4xf32>, %r: tensor<i1> {rnn.reset}) -> (y: tensor<4xf32>) {
      %y1 = rnn.delay %y by 1 : tensor<4xf32>
      %y = arith.addf %x, %y1 : tensor<4xf32>
      rnn.output %y : tensor<4xf32>
    }
    ```
  }];
  let arguments = signature;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
      "::llvm::ArrayRef<std::pair<::llvm::StringRef, ::mlir::Type>>":$arguments,
      "::llvm::ArrayRef<std::pair<::llvm::StringRef, ::mlir::Type>>":$results)>];
}

def RNN_TrainStepOp : RNN_Op<"train_step", [Symbol, HasParent<"::mlir::ModuleOp">,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "what to train, and how";
  let description = [{
    Names the losses and metrics of a network (rule S1), the optimizer, clipping and BPTT(h; h').
    `rnn-build-step` makes a `rnn.step` of it.
    `clip<norm = c>` shortens a gradient whose norm over all parameters is larger than c, `clip<value = c>` holds each of its elements within [-c, c].

    ```mlir
    rnn.train_step @step of @charlm loss("nll" mean weight 1.0 mask "m") metric("hit" mean)
      optimizer(#rnn.adam<lr = 0.004>) clip<norm = 1.0> bptt<window = 64, advance = 32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$network,
                       TypedArrayAttrBase<RNN_LossAttr, "losses">:$losses,
                       TypedArrayAttrBase<RNN_LossAttr, "metrics">:$metrics,
                       RNN_OptimizerAttrInterface:$optimizer,
                       OptionalAttr<F64Attr>:$clip_norm, OptionalAttr<F64Attr>:$clip_value,
                       OptionalAttr<RNN_BPTTAttr>:$bptt);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_StepOp : RNN_Function<"step", [
    DeclareOpInterfaceMethods<RegionKindInterface>, HasOnlyGraphRegion]> {
  let summary = "a whole training or evaluation step, as one graph";
  let description = [{
    Built by `rnn-build-step`: a copy of the network, the loss reductions, and in a `train` step gradients, clipping, the optimizer and functional assigns (rule S4).
    All reads see the values before the step; all assigns and new states become visible after it, together, or, where the operand of `rnn.guard` is false, none.

    ```mlir
    rnn.step @step train of @net window 8 advance 4 (%x: tensor<4xf32>, …) -> (loss: tensor<f32>, …) { … }
    ```
  }];
  let arguments = !con(signature, (ins RNN_FunctionKindAttr:$kind, FlatSymbolRefAttr:$network,
      OptionalAttr<RNN_BPTTAttr>:$bptt,
      TypedArrayAttrBase<RNN_LossAttr, "losses">:$losses, TypedArrayAttrBase<RNN_LossAttr, "metrics">:$metrics));
  let extraClassDeclaration = [{
    /// H = window - advance, the older frames that a step goes back over (rule A3); 0 without bptt.
    int64_t getHistory() { return getBptt() ? getBptt()->getWindow() - getBptt()->getAdvance() : 0; }
  }];
}

#endif // RNN_DIALECT_RNN_IR_RNNMODULEOPS_TD
