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

/// A cell with a clock: operands are the input, perhaps two flags, and perhaps first states.
class RNN_CellOp<string mnemonic>
    : RNN_CompositeOp<mnemonic, [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]>;

def RNN_LSTMOp : RNN_CellOp<"lstm"> {
  let summary = "LSTM, optionally with peepholes, projection, layer norm, clip, zoneout, a clock, or without a forget gate of its own";
  let description = [{
    Gates in the order i, f, g, o (PyTorch's); one bias; H units, P outputs (P = H without projection):

    ```
    [i f g o] = wx·x + wh·h[t-1] + b
    i = σ(i + pi∘c[t-1])   f = σ(f + pf∘c[t-1])   g = tanh(g)
    c = f∘c[t-1] + i∘g     o = σ(o + po∘c)        h = wp·(o∘tanh(c))
    ```
    Parameters: `wx` [4H, K], `wh` [4H, P], `b` [4H], `pi` `pf` `po` [H], `wp` [P, H].
    An integer scalar input is an index (a one-hot vector): `wx` is then a table [K, 4H].
    The cell named `l0` owns the signals `l0.h` and `l0.c`.

    - `forget(coupled)`: the forget gate is 1 - i; `forget(none)`: it is 1.
      The gates are then i, g, o, the parameters have 3H rows, and there are two peepholes, `pi` and `po`.
    - `layer_norm(@ax, @ah, @ac, @bc)`: wx·x becomes LN(wx·x)∘ax, wh·h[t-1] becomes LN(wh·h[t-1])∘ah, and the output is o∘tanh(LN(c)∘ac + bc).
      LN(v) = (v - mean)/sqrt(variance + 1e-5), over all elements of v; `ax` and `ah` have the size of `b`, which is their shift, `ac` and `bc` that of c.
    - `clip(x)`: c is held within [-x, x]; the errors of elements beyond end there.
    - `zoneout(ph, pc)`: while training, each element of h and of c keeps its last value with this probability; else what it is on average, h[t-1] + (1 - ph)·(h - h[t-1]).
    - `clock(%on)`: h and c change only in frames in which the `tensor<i1>` is true; in others both results are those of the frame before.
    - `init(%h0, %c0)`: what the cell reads as h[t-1] and c[t-1] where a stream begins: parameters, which are then learned, or any signals; without it zeros.
    - `restart(%new)`: in frames in which the `tensor<i1>` is true the cell reads its first states as h[t-1] and c[t-1], if its clock lets it read.
    - `reverse`: the cell goes through its frames from the last to the first; wherever t-1 stands above it is t+1.
      It begins with its first states at the last frame of a chunk and before each reset, and so has no state between calls.
      The frame that `restart(%new)` names is then the one with which it begins. It cannot lie on a cycle with a delay d > 0, nor in a step whose window is longer than its advance (rules C1, A5).

    ```mlir
    %h, %c = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) peephole(@l0.pi, @l0.pf, @l0.po)
           : tensor<64xf32> -> tensor<128xf32>
    %h, %c = rnn.lstm "l1" %x wx(@l1.wx) wh(@l1.wh) b(@l1.b) projection(@l1.wp)
           : tensor<64xf32> -> tensor<32xf32>, tensor<128xf32>
    %h, %c = rnn.lstm "l2" %x wx(@l2.wx) wh(@l2.wh) b(@l2.b) forget(coupled)
             layer_norm(@l2.ax, @l2.ah, @l2.ac, @l2.bc) clip(10.0) : tensor<64xf32> -> tensor<128xf32>
    %h, %c = rnn.lstm "l3" %x wx(@l3.wx) wh(@l3.wh) b(@l3.b) zoneout(0.05, 0.5) clock(%word) restart(%page)
           : tensor<64xf32> -> tensor<128xf32>
    %h, %c = rnn.lstm "l4" %x wx(@l4.wx) wh(@l4.wh) b(@l4.b) reverse : tensor<64xf32> -> tensor<128xf32>
    %h, %c = rnn.lstm "l5" %x wx(@l5.wx) wh(@l5.wh) b(@l5.b) init(%h0, %c0) : tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$wh,
                       FlatSymbolRefAttr:$b, UnitAttr:$reverse,
                       DefaultValuedAttr<RNN_ForgetKindAttr, "::mlir::rnn::ForgetKind::Gate">:$forget,
                       OptionalAttr<FlatSymbolRefArrayAttr>:$peephole, OptionalAttr<FlatSymbolRefAttr>:$projection,
                       OptionalAttr<FlatSymbolRefArrayAttr>:$layer_norm, OptionalAttr<F64Attr>:$clip,
                       OptionalAttr<DenseF64ArrayAttr>:$zoneout, Optional<RNN_Signal>:$clock,
                       Optional<RNN_Signal>:$restart, Variadic<RNN_Signal>:$init);
  let results = (outs RNN_Signal:$h, RNN_Signal:$c);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_GRUOp : RNN_CellOp<"gru"> {
  let summary = "GRU with the reset gate after or before the product";
  let description = [{
    Gates in the order r, z, n (PyTorch's); H units:

    ```
    [ar az an] = wx·x + b
    r = σ(ar + whr·h[t-1])   z = σ(az + whz·h[t-1])
    n = tanh(an + r∘(whn·h[t-1] + bn))      reset after the product, the default
    n = tanh(an + whn·(r∘h[t-1]))           reset(before)
    h = (1 - z)∘n + z∘h[t-1]
    ```
    Parameters: `wx` [3H, K], `wh` [3H, H] (rows whr, whz, whn), `b` [3H], and with the reset after the product perhaps `bn` [H].
    An integer scalar input is an index: `wx` is then a table [K, 3H].
    The cell named `l0` owns the signal `l0.h`.
    With the reset before it, the product waits for r, and a frame takes two exchanges of a vector instead of one.
    `zoneout(p)`, `init(%h0)`, `clock(%on)`, `restart(%new)` and `reverse` are those of `rnn.lstm`.

    ```mlir
    %h = rnn.gru "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) bn(@l0.bn) : tensor<64xf32> -> tensor<128xf32>
    %h = rnn.gru "l1" %x wx(@l1.wx) wh(@l1.wh) b(@l1.b) reset(before) : tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$wh,
                       FlatSymbolRefAttr:$b, UnitAttr:$reverse, OptionalAttr<FlatSymbolRefAttr>:$bn,
                       DefaultValuedAttr<RNN_ResetKindAttr, "::mlir::rnn::ResetKind::After">:$reset,
                       OptionalAttr<F64Attr>:$zoneout, Optional<RNN_Signal>:$clock, Optional<RNN_Signal>:$restart,
                       Variadic<RNN_Signal>:$init);
  let results = (outs RNN_Signal:$h);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_ElmanOp : RNN_CellOp<"elman"> {
  let summary = "a layer that reads its own last output";
  let description = [{
    `h = f(wx·x + wh·h[t-1] + b)`, f being tanh or, with `activation(relu)`, max(0, ·); H units.
    Parameters: `wx` [H, K], `wh` [H, H], `b` [H].
    An integer scalar input is an index: `wx` is then a table [K, H].
    The cell named `l0` owns the signal `l0.h`.
    `zoneout(p)`, `init(%h0)`, `clock(%on)`, `restart(%new)` and `reverse` are those of `rnn.lstm`.

    ```mlir
    %h = rnn.elman "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) : tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$wh,
                       FlatSymbolRefAttr:$b, UnitAttr:$reverse,
                       DefaultValuedAttr<RNN_ActivationAttr, "::mlir::rnn::Activation::Tanh">:$activation,
                       OptionalAttr<F64Attr>:$zoneout, Optional<RNN_Signal>:$clock, Optional<RNN_Signal>:$restart,
                       Variadic<RNN_Signal>:$init);
  let results = (outs RNN_Signal:$h);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

/// A cell whose products read the input only: operands are the input and perhaps a first state.
class RNN_ElementwiseCellOp<string mnemonic>
    : RNN_CompositeOp<mnemonic, [DeclareOpInterfaceMethods<SymbolUserOpInterface>]>;

def RNN_IndRNNOp : RNN_ElementwiseCellOp<"indrnn"> {
  let summary = "a layer whose units each read their own last output (Li et al. 2018)";
  let description = [{
    `h = f(wx·x + b + u∘h[t-1])`, f being max(0, ·) or, with `activation(tanh)`, tanh; H units.
    Parameters: `wx` [H, K], `u` [H], `b` [H]. Nothing bounds `u`; what it is drawn from should lie within ±1 or near.
    An integer scalar input is an index: `wx` is then a table [K, H].
    The cell named `l0` owns the signal `l0.h`. `init(%h0)` and `reverse` are those of `rnn.lstm`.

    ```mlir
    %h = rnn.indrnn "l0" %x wx(@l0.wx) u(@l0.u) b(@l0.b) : tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$u,
                       FlatSymbolRefAttr:$b, UnitAttr:$reverse,
                       DefaultValuedAttr<RNN_ActivationAttr, "::mlir::rnn::Activation::Relu">:$activation,
                       Variadic<RNN_Signal>:$init);
  let results = (outs RNN_Signal:$h);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_MinGRUOp : RNN_ElementwiseCellOp<"min_gru"> {
  let summary = "a GRU whose gate and candidate see the input only (Feng et al. 2024)";
  let description = [{
    Gates in the order z, n; H units:

    ```
    [az an] = wx·x + b      z = σ(az)      h = (1 - z)∘h[t-1] + z∘an
    ```
    Parameters: `wx` [2H, K], `b` [2H]; z admits the new, where a GRU's keeps the old. What remains of the loop is affine in h.
    An integer scalar input is an index: `wx` is then a table [K, 2H].
    The cell named `l0` owns the signal `l0.h`. `init(%h0)` and `reverse` are those of `rnn.lstm`.

    ```mlir
    %h = rnn.min_gru "l0" %x wx(@l0.wx) b(@l0.b) : tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$b,
                       UnitAttr:$reverse, Variadic<RNN_Signal>:$init);
  let results = (outs RNN_Signal:$h);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_SRUOp : RNN_ElementwiseCellOp<"sru"> {
  let summary = "simple recurrent unit (Lei et al. 2018)";
  let description = [{
    Rows in the order n, f, r and, where the input has not H elements, s; H units:

    ```
    [n af ar s] = wx·x          f = σ(af + bf)      c = f∘c[t-1] + (1 - f)∘n
                                r = σ(ar + br)      h = r∘c + (1 - r)∘s
    ```
    Without rows for s it is the input itself, the highway of the paper.
    Parameters: `wx` [3H, H] or [4H, K], `b` [2H] (bf, br). The loop is affine in c; with `peephole(@vf, @vr)`, [H] each, vf∘c[t-1] and vr∘c[t-1] are added in the gates, as in the paper's second form, and it is not.
    An integer scalar input is an index: `wx` is then a table [K, 4H].
    The cell named `l0` owns the signal `l0.c`. `init(%c0)` and `reverse` are those of `rnn.lstm`.

    ```mlir
    %h, %c = rnn.sru "l0" %x wx(@l0.wx) b(@l0.b) : tensor<128xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$input, FlatSymbolRefAttr:$wx, FlatSymbolRefAttr:$b, UnitAttr:$reverse,
                       OptionalAttr<FlatSymbolRefArrayAttr>:$peephole, Variadic<RNN_Signal>:$init);
  let results = (outs RNN_Signal:$h, RNN_Signal:$c);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def RNN_DropoutOp : RNN_Op<"dropout", [DeclareOpInterfaceMethods<RNN_CompositeInterface>, SameOperandsAndResultType]> {
  let summary = "zeros in place of elements drawn while training";
  let description = [{
    While training each element is 0 with probability `p`, else divided by 1 - p; in evaluation and inference the result is the source.
    What is dropped is drawn anew for each frame and stream, for each stream of a call, or for each call, as the rate says.
    A mask that holds for all frames of a stream (`<stream>`) is the variational dropout of Gal and Ghahramani, which may also lie within a loop.

    ```mlir
    %y = rnn.dropout %x <frame> p(0.5) : tensor<128xf32>
    %z = rnn.dropout %h1 <stream> p(0.25) : tensor<128xf32>
    ```
  }];
  let arguments = (ins RNN_Signal:$source, RNN_RateAttr:$rate, F64Attr:$p);
  let results = (outs RNN_Signal:$result);
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

def RNN_CTCOp : RNN_CompositeOp<"ctc"> {
  let summary = "connectionist temporal classification: -log of the probability of labels, whatever their frames";
  let description = [{
    What a network says per frame is a label or nothing (class 0, the blank); equal labels without a blank between them are one.
    The result at a frame is -log of the probability, in nats, that the frames since the sequence began spell `labels`: the sum over all alignments, with the classes of `logits` [C] after a softmax.
    So only the result at a sequence's last frame is a loss, and a mask names that frame: `loss("nll" mean mask "last")`.
    A sequence begins where a stream does, or at its reset.

    `labels` [L] are classes from 1 to C - 1, `length` says how many of them count (0 to L); both are i32 or i64, of stream rate where a chunk has one sequence per stream, of frame rate where resets divide it.
    What stands behind `length` is not read. Frames too few for the labels have probability 0 and the loss infinity, with which a step does nothing; with `zero_infinity` it is 0 and has no gradient.

    The op named `align` owns the signal `align.alpha` [2L + 1], the logarithms of the probabilities of all prefixes; a network that hears more than a chunk is trained like any other, its gradient ends with the window.

    ```mlir
    %nll = rnn.ctc "align" %logits, %labels, %length : (tensor<29xf32>, tensor<40xi32>, tensor<i32>) -> tensor<f32>
    ```
  }];
  let arguments = (ins StrAttr:$name, RNN_Signal:$logits, RNN_Signal:$labels, RNN_Signal:$length,
                       UnitAttr:$zero_infinity);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$name $logits `,` $labels `,` $length attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

class RNN_ElementwiseLossOp<string mnemonic, dag attributes = (ins)> : RNN_CompositeOp<mnemonic> {
  let arguments = !con((ins RNN_Signal:$prediction, RNN_Signal:$target), attributes);
  let results = (outs RNN_Signal:$result);
  let assemblyFormat = "$prediction `,` $target attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def RNN_SigmoidCrossEntropyOp : RNN_ElementwiseLossOp<"sigmoid_cross_entropy"> {
  let summary = "mean of -target·log σ(logit) - (1 - target)·log(1 - σ(logit))";
  let description = [{
    Binary cross-entropy of each element, for classes that do not exclude one another.
    `prediction` holds logits, `target` numbers from 0 to 1 of the same type; the result is the mean over the elements of the frame, in nats.
    Computed as target·softplus(-logit) + (1 - target)·softplus(logit), which is exact to rounding for logits of any size.

    ```mlir
    %bce = rnn.sigmoid_cross_entropy %logits, %target : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
    ```
  }];
}

def RNN_MeanSquaredErrorOp : RNN_ElementwiseLossOp<"mean_squared_error"> {
  let summary = "mean of (prediction - target)² over the elements of the frame";
  let description = [{
    ```mlir
    %mse = rnn.mean_squared_error %y, %target : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
    ```
  }];
}

def RNN_MeanAbsoluteErrorOp : RNN_ElementwiseLossOp<"mean_absolute_error"> {
  let summary = "mean of |prediction - target| over the elements of the frame";
  let description = "The derivative of an element without error is 0 (rule A2).";
}

def RNN_HuberOp : RNN_ElementwiseLossOp<"huber", (ins DefaultValuedAttr<F64Attr, "1.0">:$delta)> {
  let summary = "mean of the Huber loss over the elements of the frame";
  let description = [{
    With d = |prediction - target|: d²/2 where d <= `delta`, else delta·(d - delta/2).

    ```mlir
    %loss = rnn.huber %y, %target {delta = 0.5} : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
    ```
  }];
}

#endif // RNN_DIALECT_RNN_IR_RNNCOMPOSITEOPS_TD
