// RUN: split-file %s %t
// RUN: rnn-translate --rnn-to-dot %t/loops.mlir | FileCheck %t/loops.mlir
// RUN: rnn-translate --rnn-to-dot %t/delays.mlir | FileCheck %t/delays.mlir
// RUN: rnn-translate --rnn-to-dot %t/cells.mlir | FileCheck %t/cells.mlir
// RUN: rnn-translate --rnn-to-dot --expand %t/cells.mlir | FileCheck %t/cells.mlir --check-prefix=OPEN
// RUN: rnn-translate --rnn-to-dot %t/step.mlir | FileCheck %t/step.mlir
// RUN: rnn-translate --rnn-to-dot --expand %t/cells.mlir -o %t/one
// RUN: rnn-opt %t/cells.mlir --emit-bytecode | rnn-translate --rnn-to-dot --expand | cmp - %t/one

//--- loops.mlir
// A loop is a filled cluster, dashed if it is a scan, numbered as by rnn-print-recurrence; the rest is grey.
// CHECK:      digraph "net" {
// CHECK:        node [style=filled, fillcolor="#DDDDDD"];
// CHECK-NEXT:   a0 [shape=box, label="x\n4"];
// CHECK-NEXT:   a1 [shape=box, label="s\nf32\nstatic"];
// CHECK-NEXT:   a2 [shape=box, label="r\ni1\nreset"];
// CHECK-NEXT:   subgraph cluster_2 {
// CHECK-NEXT:     style="filled,dashed";
// CHECK-NEXT:     fillcolor="#77AADD";
// CHECK-NEXT:     label="component 2: scan causal, order 1";
// CHECK-NEXT:     [[H:n[0-9]+]] [fillcolor="white", label="h\n4", tooltip="arith.addf"];
// CHECK-NEXT:   }
// CHECK-NEXT:   subgraph cluster_4 {
// CHECK-NEXT:     style=filled;
// CHECK-NEXT:     fillcolor="#EE8866";
// CHECK-NEXT:     label="component 4: recurrent anticausal, stages 1";
// CHECK-NEXT:     [[U:n[0-9]+]] [fillcolor="white", label="linear\n4", tooltip="rnn.linear"];
// CHECK-NEXT:     [[G:n[0-9]+]] [fillcolor="white", label="sum\n4", tooltip="rnn.sum"];
// CHECK-NEXT:     [[T:n[0-9]+]] [fillcolor="white", label="g\n4", tooltip="math.tanh"];
// CHECK-NEXT:   }
// CHECK-NEXT:   [[C:n[0-9]+]] [label="0.5\n4", tooltip="arith.constant"];
// CHECK-NEXT:   [[Y:n[0-9]+]] [label="y\n4", tooltip="arith.mulf"];
// CHECK-NEXT:   r0 [shape=box, label="y\n4"];

// Parameters are on edges, delays are dotted edges; edges come by the reading op and its operands.
// CHECK-NEXT:   a0 -> [[H]];
// CHECK-NEXT:   [[H]] -> [[H]] [style=dotted, label="1"];
// CHECK-NEXT:   [[T]] -> [[U]] [style=dotted, label="-1\nw 4x4\nb 4"];
// CHECK-NEXT:   [[U]] -> [[G]];
// CHECK-NEXT:   [[H]] -> [[G]];
// CHECK-NEXT:   [[G]] -> [[T]];
// CHECK-NEXT:   [[T]] -> [[Y]];
// CHECK-NEXT:   [[C]] -> [[Y]];
// CHECK-NEXT:   [[Y]] -> r0;
// CHECK-NEXT:   subgraph cluster_legend {
// CHECK:      }
// CHECK-NOT:  digraph
rnn.parameter @w : tensor<4x4xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>, %s: tensor<f32> {rnn.rate = "static"}, %r: tensor<i1> {rnn.reset}) -> (y: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4x4xf32>
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %h = arith.addf %x, %h1 : tensor<4xf32>
  %b = rnn.param @b : tensor<4xf32>
  %g1 = rnn.delay %g by -1 : tensor<4xf32>
  %u = rnn.linear %g1, %w, %b : (tensor<4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %sum = rnn.sum %u, %h : tensor<4xf32>
  %g = math.tanh %sum : tensor<4xf32>
  %half = arith.constant dense<0.5> : tensor<4xf32>
  %y = arith.mulf %g, %half : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

//--- delays.mlir
// A delay of a delay is a node, so that every edge has one delay; inits are edges too, or labels if they are parameters.
// CHECK:        [[D:n[0-9]+]] [label="d\n4", tooltip="rnn.delay"];
// CHECK-NEXT:   [[Q:n[0-9]+]] [label="q\n4", tooltip="rnn.sum"];
// CHECK-NEXT:   r0 [shape=box, label="q\n4"];
// CHECK-NEXT:   r1 [shape=box, label="p\n4"];
// CHECK-NEXT:   a0 -> [[D]] [style=dotted, label="1"];
// CHECK-NEXT:   [[D]] -> [[Q]] [style=dotted, label="2\ninit i 4"];
// CHECK-NEXT:   a1 -> [[Q]] [label="init"];
// CHECK-NEXT:   a0 -> [[Q]] [style=dotted, label="3"];
// CHECK-NEXT:   p0 [shape=point];
// CHECK-NEXT:   p0 -> [[Q]] [style=dotted, label="1\ni 4"];
// CHECK-NEXT:   [[Q]] -> r0;
// CHECK-NEXT:   p1 [shape=point];
// CHECK-NEXT:   p1 -> r1 [label="i 4"];
rnn.parameter @i : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>, %z: tensor<4xf32>) -> (q: tensor<4xf32>, p: tensor<4xf32>) {
  %i = rnn.param @i : tensor<4xf32>
  %d = rnn.delay %x by 1 : tensor<4xf32>
  %e = rnn.delay %d by 2 init(%i) : tensor<4xf32>
  %f = rnn.delay %x by 3 init(%z) : tensor<4xf32>
  %j = rnn.delay %i by 1 : tensor<4xf32>
  %q = rnn.sum %e, %f, %j : tensor<4xf32>
  rnn.output %q, %i : tensor<4xf32>, tensor<4xf32>
}

//--- cells.mlir
// Cells and calls are boxes; with --expand they are drawn open.
// CHECK:      digraph "pair" {
// CHECK:      digraph "net" {
// CHECK:        [[L:n[0-9]+]] [shape=box, label="l0\nlstm\n4, 4", tooltip="rnn.lstm"];
// CHECK-NEXT:   [[P:n[0-9]+]] [shape=box, label="top\npair\n4, 4", tooltip="rnn.call"];
// CHECK-NEXT:   [[Y:n[0-9]+]] [label="y\n4", tooltip="arith.addf"];
// CHECK:        a0 -> [[L]] [label="b 16\nwh 16x4\nwx 16x4"];
// CHECK-NEXT:   [[L]] -> [[P]];
// CHECK-NEXT:   [[P]] -> [[Y]] [label="#0"];
// CHECK-NEXT:   [[P]] -> [[Y]] [label="#1"];

// OPEN:      digraph "net" {
// OPEN-NOT:    shape=box, label="l0
// OPEN:        label="component {{[0-9]+}}: recurrent causal, stages 1";
// OPEN:        label="l0.c\n4"
rnn.parameter @wx : tensor<16x4xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<16x4xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<16xf32> init(#rnn.zeros)
rnn.network @pair(%x: tensor<4xf32>) -> (s: tensor<4xf32>, c: tensor<4xf32>) {
  %s = math.sin %x : tensor<4xf32>
  %c = math.cos %x : tensor<4xf32>
  rnn.output %s, %c : tensor<4xf32>, tensor<4xf32>
}
rnn.network @net(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<4xf32> -> tensor<4xf32>
  %p, %q = rnn.call "top" @pair(%h) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %y = arith.addf %p, %q : tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}
// CHECK:      digraph "ahead" {
// CHECK:        [shape=box, label="l1\nlstm reverse\n4, 4", tooltip="rnn.lstm"];
rnn.network @ahead(%x: tensor<4xf32>) -> (y: tensor<4xf32>) {
  %y, %c = rnn.lstm "l1" %x wx(@wx) wh(@wh) b(@b) reverse : tensor<4xf32> -> tensor<4xf32>
  rnn.output %y : tensor<4xf32>
}

//--- step.mlir
// A train step is its network and what becomes of the results; a step that was built is a graph as any other.
// CHECK:      digraph "net" {
// CHECK:      digraph "train" {
// CHECK-NEXT:   label="network net in train step train";
// CHECK:        loss [shape=box, label="loss"];
// CHECK-NEXT:   l0 [label="mean"];
// CHECK-NEXT:   r0 -> l0;
// CHECK-NEXT:   r1 -> l0 [label="mask"];
// CHECK-NEXT:   l0 -> loss [label="0.5"];
// CHECK-NEXT:   l1 [label="sum e"];
// CHECK-NEXT:   r0 -> l1;
// CHECK-NEXT:   r1 -> l1 [label="mask"];
// CHECK-NEXT:   subgraph cluster_legend
// CHECK:      digraph "built" {
// CHECK:        [[N:n[0-9]+]] [label="negf\nf32", tooltip="arith.negf"];
// CHECK-NEXT:   [[A:n[0-9]+]] [shape=box, label="assign w\nf32", tooltip="rnn.assign"];
// CHECK-NEXT:   p0 [shape=point];
// CHECK-NEXT:   p0 -> [[N]] [label="w f32"];
// CHECK-NEXT:   [[N]] -> [[A]];
rnn.parameter @w : tensor<f32> init(#rnn.zeros)
rnn.network @net(%x: tensor<f32>, %m: tensor<i1>) -> (e: tensor<f32>, counted: tensor<i1>) {
  rnn.output %x, %m : tensor<f32>, tensor<i1>
}
rnn.train_step @train of @net loss("e" mean weight 0.5 mask "counted") metric("e" sum mask "counted") optimizer(#rnn.sgd<>)
rnn.step @built train of @net () -> () {
  %w = rnn.param @w : tensor<f32>
  %n = arith.negf %w : tensor<f32>
  rnn.assign @w, %n : tensor<f32>
  rnn.output
}
