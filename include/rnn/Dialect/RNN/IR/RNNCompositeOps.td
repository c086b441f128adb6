//===- RNNCompositeOps.td - Cells and losses that expand into the graph -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNCOMPOSITEOPS_TD
#define RNN_DIALECT_RNN_IR_RNNCOMPOSITEOPS_TD

include "rnn/Dialect/RNN/IR/RNNGraphOps.td"

class RNN_CompositeOp<string mnemonic, list<Trait> traits = []>
    : RNN_Op<mnemonic, traits # [Pure, DeclareOpInterfaceMethods<RNN_CompositeInterface>]>;

def RNN_LSTMOp : RNN_CompositeOp<"lstm", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "LSTM with forget gate, optional peepholes and projection";
  let description = [{
    Gates in the order i, f, g, o; one bias; H units, P outputs (P = H without projection):

    ```
    [i f g o] = wx·x + wh·h[t-1] + b
    i = σ(i + pi∘c[t-1])   f = σ(f + pf∘c[t-1])   g = tanh(g)
    c = f∘c[t-1] + i∘g     o = σ(o + po∘c)        h = wp·(o∘tanh(c))
    ```
    Parameters: `wx` [4H, K], `wh` [4H, P], `b` [4H], `pi` `pf` `po` [H], `wp` [P, H].
    An integer scalar input is an index (a one-hot vector): `wx` is then a table [K, 4H].
    The cell named `l0` owns the signals `l0.h` and `l0.c`.

    ```mlir
    %h, %c = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) peephole(@l0.pi, @l0.pf, @l0.po)
           : tensor<64xf32> -> tensor<128xf32>
    %h, %c = rnn.lstm "l1" %x wx(@l1.wx) wh(@l1.wh) b(@l1.b) projection(@l1.wp)
           : tensor<64xf32> -> tensor<32xf32>, tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$wh,
                       FlatSymbolRefAttr:$b, OptionalAttr<FlatSymbolRefArrayAttr>:$peephole,
                       OptionalAttr<FlatSymbolRefAttr>:$projection);
  let results = (outs RNN_Signal:$h, RNN_Signal:$c);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_SoftmaxCrossEntropyOp : RNN_CompositeOp<"softmax_cross_entropy"> {
  let summary = "-log softmax(logits)[target]";
  let description = "`logits` [C], `target` a scalar integer class; the result is a scalar in nats.";
  let arguments = (ins RNN_Signal:$logits, RNN_Signal:$target);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$logits `,` $target attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // RNN_DIALECT_RNN_IR_RNNCOMPOSITEOPS_TD
