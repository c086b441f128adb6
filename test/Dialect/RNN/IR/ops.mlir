// RUN: rnn-opt %s | rnn-opt | FileCheck %s
// RUN: rnn-opt %s -mlir-print-op-generic | rnn-opt | FileCheck %s
// RUN: rnn-opt %s -emit-bytecode | rnn-opt | FileCheck %s
// RUN: rnn-opt %s -verify-roundtrip -o /dev/null

// CHECK: rnn.parameter @zeros : tensor<i64> init(#rnn.zeros){{$}}
rnn.parameter @zeros : tensor<i64> init(#rnn.zeros)
// CHECK: rnn.parameter @constant : tensor<f32> init(#rnn.constant<1.500000e+00>)
rnn.parameter @constant : tensor<f32> init(#rnn.constant<1.5>)
// CHECK: rnn.parameter @uniform : tensor<4xf32> init(#rnn.uniform<-5.000000e-01, 5.000000e-01>) frozen
rnn.parameter @uniform : tensor<4xf32> init(#rnn.uniform<-0.5, 0.5>) frozen
// CHECK: rnn.parameter @unbounded : tensor<4xf32> init(#rnn.uniform<>)
rnn.parameter @unbounded : tensor<4xf32> init(#rnn.uniform<>)
// CHECK: rnn.parameter @normal : tensor<5x4xf32> init(#rnn.normal<mean = 1.000000e+00, std = 2.000000e+00>)
rnn.parameter @normal : tensor<5x4xf32> init(#rnn.normal<mean = 1.0, std = 2.0>)
// CHECK: rnn.parameter @w : tensor<4x4xf32> init(#rnn.orthogonal<gain = 2.000000e+00, blocks = 4>)
rnn.parameter @w : tensor<4x4xf32> init(#rnn.orthogonal<gain = 2.0, blocks = 4>)
// CHECK: rnn.parameter @opt.m.w : tensor<4x4xf32> init(#rnn.zeros) slot
rnn.parameter @opt.m.w : tensor<4x4xf32> init(#rnn.zeros) slot
rnn.parameter @l0.wx : tensor<16x4xf32> init(#rnn.zeros)
rnn.parameter @l0.wh : tensor<16x3xf32> init(#rnn.zeros)
rnn.parameter @l0.b : tensor<16xf32> init(#rnn.zeros)
rnn.parameter @l0.wp : tensor<3x4xf32> init(#rnn.zeros)

// CHECK-LABEL: rnn.network @graph(
// CHECK-SAME:    %x: tensor<4xf32>, %i: tensor<i32>, %r: tensor<i1> {rnn.reset},
// CHECK-SAME:    %s: tensor<4xf32> {rnn.default = 0.000000e+00 : f64, rnn.rate = "stream"})
// CHECK-SAME:    -> (h: tensor<4xf32>, t: tensor<4x4xf32> {rnn.rate = "static"}) attributes {sym_visibility = "private"} {
rnn.network @graph(%x: tensor<4xf32>, %i: tensor<i32>, %r: tensor<i1> {rnn.reset},
                   %s: tensor<4xf32> {rnn.rate = "stream", rnn.default = 0.0})
    -> (h: tensor<4xf32>, t: tensor<4x4xf32> {rnn.rate = "static"}) attributes {sym_visibility = "private"} {
  // The keyword `carried` is the default. The name is that of the operand.
  // CHECK: %[[H1:.*]] = rnn.delay %[[H:.*]] by 1 name "h" : tensor<4xf32>
  %h1 = rnn.delay %h by 1 carried : tensor<4xf32>
  // CHECK: rnn.delay %x by 2 init(%s) local name "x" : tensor<4xf32>
  %x2 = rnn.delay %x by 2 init(%s) local : tensor<4xf32>
  // CHECK: rnn.delay %x by -3 name "x" : tensor<4xf32>
  %x3 = rnn.delay %x by -3 : tensor<4xf32>
  // CHECK: rnn.delay %x by 4 name "late" state "x" {note = "kept"} : tensor<4xf32>
  %x4 = rnn.delay %x by 4 name "late" state "x" {note = "kept"} : tensor<4xf32>
  // CHECK: %[[W:.*]] = rnn.param @w : tensor<4x4xf32>
  %w = rnn.param @w : tensor<4x4xf32>
  // CHECK: %[[B:.*]] = rnn.param @uniform : tensor<4xf32>
  %b = rnn.param @uniform : tensor<4xf32>
  // CHECK: rnn.linear %[[H1]], %[[W]], %[[B]] : (tensor<4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %u = rnn.linear %h1, %w, %b : (tensor<4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // CHECK: rnn.linear %x, %[[W]] : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %v = rnn.linear %x, %w : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  // CHECK: rnn.contract %x, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %t = rnn.contract %x, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  // CHECK: rnn.contract %x, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static round_to bf16 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %tr = rnn.contract %x, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static round_to bf16 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  // CHECK: rnn.contract %{{.*}}, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %c = rnn.contract %t, %x [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // CHECK: rnn.reduce max %x over [0] : tensor<4xf32> to tensor<f32>
  %m = rnn.reduce max %x over [0] : tensor<4xf32> to tensor<f32>
  // CHECK: rnn.broadcast %{{.*}} along [0] : tensor<f32> to tensor<4xf32>
  %mb = rnn.broadcast %m along [0] : tensor<f32> to tensor<4xf32>
  // CHECK: %[[TABLE:.*]] = rnn.param @normal
  %table = rnn.param @normal : tensor<5x4xf32>
  // CHECK: %[[G:.*]] = rnn.gather %[[TABLE]], %i : (tensor<5x4xf32>, tensor<i32>) -> tensor<4xf32>
  %g = rnn.gather %table, %i : (tensor<5x4xf32>, tensor<i32>) -> tensor<4xf32>
  // CHECK: rnn.scatter_add %[[G]], %i : (tensor<4xf32>, tensor<i32>) -> tensor<5x4xf32>
  %sc = rnn.scatter_add %g, %i : (tensor<4xf32>, tensor<i32>) -> tensor<5x4xf32>
  // CHECK: rnn.scatter_add %[[G]], %i sum_to <stream> : (tensor<4xf32>, tensor<i32>) -> tensor<5x4xf32>
  %ss = rnn.scatter_add %g, %i sum_to <stream> : (tensor<4xf32>, tensor<i32>) -> tensor<5x4xf32>
  // CHECK: rnn.sum_frames %x sum_to <stream> : tensor<4xf32>
  %f = rnn.sum_frames %x sum_to <stream> : tensor<4xf32>
  // CHECK: rnn.random uniform <frame> id 3 : tensor<4xf32>
  %r0 = rnn.random uniform <frame> id 3 : tensor<4xf32>
  // CHECK: rnn.random normal <static> : tensor<4xf32>
  %r1 = rnn.random normal <static> : tensor<4xf32>
  // CHECK: rnn.sigmoid %x : tensor<4xf32>
  %e0 = rnn.sigmoid %x : tensor<4xf32>
  // CHECK: rnn.softplus %x : tensor<4xf32>
  %e1 = rnn.softplus %x : tensor<4xf32>
  // CHECK: rnn.stop_gradient %x : tensor<4xf32>
  %e2 = rnn.stop_gradient %x : tensor<4xf32>
  // CHECK: %[[H]] = rnn.sum %{{.*}} : tensor<4xf32>
  %h = rnn.sum %u, %v, %x2, %x3, %x4, %c, %mb, %f, %r0, %r1, %e0, %e1, %e2 : tensor<4xf32>
  // CHECK: rnn.output %[[H]], %{{.*}} : tensor<4xf32>, tensor<4x4xf32>
  rnn.output %h, %t : tensor<4xf32>, tensor<4x4xf32>
}

// Everything that the list of SEMANTICS admits from other dialects (L1).
// CHECK-LABEL: rnn.network @upstream
rnn.network @upstream(%x: tensor<4xf32>, %n: tensor<4xi32>, %p: tensor<4xi1>) -> () {
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %0 = arith.addf %x, %c : tensor<4xf32>
  %1 = arith.subf %x, %c : tensor<4xf32>
  %2 = arith.mulf %x, %c : tensor<4xf32>
  %3 = arith.divf %x, %c : tensor<4xf32>
  %4 = arith.negf %x : tensor<4xf32>
  %5 = arith.maximumf %x, %c : tensor<4xf32>
  %6 = arith.minimumf %x, %c : tensor<4xf32>
  %7 = arith.cmpf olt, %x, %c : tensor<4xf32>
  %8 = arith.cmpi slt, %n, %n : tensor<4xi32>
  %9 = arith.select %p, %x, %c : tensor<4xi1>, tensor<4xf32>
  %10 = arith.andi %p, %7 : tensor<4xi1>
  %11 = arith.ori %p, %7 : tensor<4xi1>
  %12 = arith.xori %p, %8 : tensor<4xi1>
  %13 = arith.addi %n, %n : tensor<4xi32>
  %14 = arith.subi %n, %n : tensor<4xi32>
  %15 = arith.muli %n, %n : tensor<4xi32>
  %16 = arith.extf %x : tensor<4xf32> to tensor<4xf64>
  %17 = arith.truncf %16 : tensor<4xf64> to tensor<4xf32>
  %18 = arith.sitofp %n : tensor<4xi32> to tensor<4xf32>
  %19 = arith.uitofp %p : tensor<4xi1> to tensor<4xf32>
  %20 = math.exp %x : tensor<4xf32>
  %21 = math.log %x : tensor<4xf32>
  %22 = math.log1p %x : tensor<4xf32>
  %23 = math.sqrt %x : tensor<4xf32>
  %24 = math.rsqrt %x : tensor<4xf32>
  %25 = math.tanh %x : tensor<4xf32>
  %26 = math.erf %x : tensor<4xf32>
  %27 = math.absf %x : tensor<4xf32>
  %28 = math.sin %x : tensor<4xf32>
  %29 = math.cos %x : tensor<4xf32>
  %30 = math.powf %x, %c : tensor<4xf32>
  %31 = tensor.extract_slice %x[0] [2] [2] : tensor<4xf32> to tensor<2xf32>
  %32 = tensor.insert_slice %31 into %x[1] [2] [1] : tensor<2xf32> into tensor<4xf32>
  %33 = tensor.concat dim(0) %x, %31 : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  %34 = tensor.expand_shape %x [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %35 = tensor.collapse_shape %34 [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  rnn.output
}

// CHECK-LABEL: rnn.network @composites
// CHECK:         %[[H:.*]], %[[C:.*]] = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) peephole(@uniform, @uniform, @uniform) projection(@l0.wp) : tensor<4xf32> -> tensor<3xf32>, tensor<4xf32>
// CHECK:         rnn.softmax_cross_entropy %[[H]], %target : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
// CHECK:         rnn.call "g" @callee(%[[H]]) : (tensor<3xf32>) -> tensor<3xf32>
rnn.network @composites(%x: tensor<4xf32>, %target: tensor<i32>) -> (y: tensor<3xf32>, nll: tensor<f32>) {
  %h, %c = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) peephole(@uniform, @uniform, @uniform) projection(@l0.wp)
         : tensor<4xf32> -> tensor<3xf32>, tensor<4xf32>
  %nll = rnn.softmax_cross_entropy %h, %target : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
  %y = rnn.call "g" @callee(%h) : (tensor<3xf32>) -> tensor<3xf32>
  rnn.output %y, %nll : tensor<3xf32>, tensor<f32>
}
// CHECK-LABEL: rnn.network @cells
// CHECK-NEXT:    rnn.lstm "a" %x wx(@wx) wh(@wh) b(@b) forget(coupled) peephole(@p, @p) layer_norm(@b, @b, @p, @p) clip(3.000000e+00) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.lstm "b" %x wx(@wx) wh(@wh) b(@b) forget(none) clip(5.000000e-01) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.lstm "c" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) projection(@l0.wp) : tensor<4xf32> -> tensor<3xf32>, tensor<4xf32>
// CHECK-NEXT:    rnn.gru "d" %x wx(@wx) wh(@wh) b(@b) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.gru "e" %x wx(@wx) wh(@wh) b(@b) bn(@p) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.gru "f" %x wx(@wx) wh(@wh) b(@b) reset(before) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.elman "g" %x wx(@wx1) wh(@wh1) b(@p) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.elman "h" %x wx(@wx1) wh(@wh1) b(@p) activation(relu) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.elman "i" %k wx(@wt) wh(@wh1) b(@p) : tensor<i32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.lstm "j" %x wx(@wx) wh(@wh) b(@b) forget(none) zoneout(2.500000e-01, 0.000000e+00) clock(%on) restart(%new) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.gru "k" %x wx(@wx) wh(@wh) b(@b) reset(before) zoneout(2.500000e-01) clock(%on) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.elman "l" %k wx(@wt) wh(@wh1) b(@p) zoneout(5.000000e-01) restart(%new) : tensor<i32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.indrnn "m" %x wx(@wx1) u(@p) b(@p) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.indrnn "n" %k wx(@wt) u(@p) b(@p) activation(tanh) : tensor<i32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.min_gru "o" %x wx(@wx2) b(@b2) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    %{{.*}}, %{{.*}} = rnn.sru "p" %y wx(@wh) b(@b2) : tensor<3xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.sru "q" %x wx(@wx4) b(@b2) peephole(@p, @p) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.lstm "r" %x wx(@wx) wh(@wh) b(@b) reverse forget(coupled) clip(3.000000e+00) clock(%on) restart(%new) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.gru "s" %x wx(@wx) wh(@wh) b(@b) reverse bn(@p) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.elman "t" %k wx(@wt) wh(@wh1) b(@p) reverse zoneout(5.000000e-01) : tensor<i32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.indrnn "u" %x wx(@wx1) u(@p) b(@p) reverse activation(tanh) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.min_gru "v" %x wx(@wx2) b(@b2) reverse : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.sru "w" %x wx(@wx4) b(@b2) reverse peephole(@p, @p) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.lstm "i0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) projection(@l0.wp) init(%y, %x) clock(%on) : tensor<4xf32> -> tensor<3xf32>, tensor<4xf32>
// CHECK-NEXT:    rnn.lstm "i1" %x wx(@wx) wh(@wh) b(@b) reverse forget(none) zoneout(2.500000e-01, 0.000000e+00) init(%y, %y) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.gru "i2" %x wx(@wx) wh(@wh) b(@b) bn(@p) init(%y) restart(%new) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.elman "i3" %x wx(@wx1) wh(@wh1) b(@p) init(%y) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.indrnn "i4" %x wx(@wx1) u(@p) b(@p) activation(tanh) init(%y) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.min_gru "i5" %x wx(@wx2) b(@b2) reverse init(%y) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.sru "i6" %x wx(@wx4) b(@b2) peephole(@p, @p) init(%y) : tensor<4xf32> -> tensor<3xf32>
// CHECK-NEXT:    rnn.dropout %x <frame> p(5.000000e-01) : tensor<4xf32>
// CHECK-NEXT:    rnn.dropout %x <stream> p(0.000000e+00) : tensor<4xf32>
// CHECK-NEXT:    rnn.training : tensor<3xi1>
rnn.parameter @wx : tensor<9x4xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<9x3xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<9xf32> init(#rnn.zeros)
rnn.parameter @p : tensor<3xf32> init(#rnn.zeros)
rnn.parameter @wx1 : tensor<3x4xf32> init(#rnn.zeros)
rnn.parameter @wh1 : tensor<3x3xf32> init(#rnn.zeros)
rnn.parameter @wt : tensor<7x3xf32> init(#rnn.zeros)
rnn.parameter @wx2 : tensor<6x4xf32> init(#rnn.zeros)
rnn.parameter @wx4 : tensor<12x4xf32> init(#rnn.zeros)
rnn.parameter @b2 : tensor<6xf32> init(#rnn.zeros)
rnn.network @cells(%x: tensor<4xf32>, %y: tensor<3xf32>, %k: tensor<i32>, %on: tensor<i1>, %new: tensor<i1>) -> () {
  %0:2 = rnn.lstm "a" %x wx(@wx) wh(@wh) b(@b) forget(coupled) peephole(@p, @p) layer_norm(@b, @b, @p, @p) clip(3)
       : tensor<4xf32> -> tensor<3xf32>
  %1:2 = rnn.lstm "b" %x wx(@wx) wh(@wh) b(@b) forget(none) clip(0.5) : tensor<4xf32> -> tensor<3xf32>
  %2:2 = rnn.lstm "c" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) forget(gate) projection(@l0.wp) : tensor<4xf32> -> tensor<3xf32>, tensor<4xf32>
  %3 = rnn.gru "d" %x wx(@wx) wh(@wh) b(@b) reset(after) : tensor<4xf32> -> tensor<3xf32>
  %4 = rnn.gru "e" %x wx(@wx) wh(@wh) b(@b) bn(@p) : tensor<4xf32> -> tensor<3xf32>
  %5 = rnn.gru "f" %x wx(@wx) wh(@wh) b(@b) reset(before) : tensor<4xf32> -> tensor<3xf32>
  %6 = rnn.elman "g" %x wx(@wx1) wh(@wh1) b(@p) activation(tanh) : tensor<4xf32> -> tensor<3xf32>
  %7 = rnn.elman "h" %x wx(@wx1) wh(@wh1) b(@p) activation(relu) : tensor<4xf32> -> tensor<3xf32>
  %8 = rnn.elman "i" %k wx(@wt) wh(@wh1) b(@p) : tensor<i32> -> tensor<3xf32>
  %9:2 = rnn.lstm "j" %x wx(@wx) wh(@wh) b(@b) forget(none) zoneout(0.25, 0) clock(%on) restart(%new)
       : tensor<4xf32> -> tensor<3xf32>
  %10 = rnn.gru "k" %x wx(@wx) wh(@wh) b(@b) reset(before) zoneout(0.25) clock(%on) : tensor<4xf32> -> tensor<3xf32>
  %11 = rnn.elman "l" %k wx(@wt) wh(@wh1) b(@p) zoneout(0.5) restart(%new) : tensor<i32> -> tensor<3xf32>
  %12 = rnn.indrnn "m" %x wx(@wx1) u(@p) b(@p) activation(relu) : tensor<4xf32> -> tensor<3xf32>
  %13 = rnn.indrnn "n" %k wx(@wt) u(@p) b(@p) activation(tanh) : tensor<i32> -> tensor<3xf32>
  %14 = rnn.min_gru "o" %x wx(@wx2) b(@b2) : tensor<4xf32> -> tensor<3xf32>
  %15:2 = rnn.sru "p" %y wx(@wh) b(@b2) : tensor<3xf32> -> tensor<3xf32>
  %16:2 = rnn.sru "q" %x wx(@wx4) b(@b2) peephole(@p, @p) : tensor<4xf32> -> tensor<3xf32>
  %17:2 = rnn.lstm "r" %x wx(@wx) wh(@wh) b(@b) reverse forget(coupled) clip(3) clock(%on) restart(%new)
        : tensor<4xf32> -> tensor<3xf32>
  %18 = rnn.gru "s" %x wx(@wx) wh(@wh) b(@b) reverse bn(@p) : tensor<4xf32> -> tensor<3xf32>
  %19 = rnn.elman "t" %k wx(@wt) wh(@wh1) b(@p) reverse zoneout(0.5) : tensor<i32> -> tensor<3xf32>
  %20 = rnn.indrnn "u" %x wx(@wx1) u(@p) b(@p) reverse activation(tanh) : tensor<4xf32> -> tensor<3xf32>
  %21 = rnn.min_gru "v" %x wx(@wx2) b(@b2) reverse : tensor<4xf32> -> tensor<3xf32>
  %22:2 = rnn.sru "w" %x wx(@wx4) b(@b2) reverse peephole(@p, @p) : tensor<4xf32> -> tensor<3xf32>
  %23:2 = rnn.lstm "i0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) projection(@l0.wp) init(%y, %x) clock(%on)
        : tensor<4xf32> -> tensor<3xf32>, tensor<4xf32>
  %24:2 = rnn.lstm "i1" %x wx(@wx) wh(@wh) b(@b) reverse forget(none) zoneout(0.25, 0) init(%y, %y)
        : tensor<4xf32> -> tensor<3xf32>
  %25 = rnn.gru "i2" %x wx(@wx) wh(@wh) b(@b) bn(@p) init(%y) restart(%new) : tensor<4xf32> -> tensor<3xf32>
  %26 = rnn.elman "i3" %x wx(@wx1) wh(@wh1) b(@p) init(%y) : tensor<4xf32> -> tensor<3xf32>
  %27 = rnn.indrnn "i4" %x wx(@wx1) u(@p) b(@p) activation(tanh) init(%y) : tensor<4xf32> -> tensor<3xf32>
  %28 = rnn.min_gru "i5" %x wx(@wx2) b(@b2) reverse init(%y) : tensor<4xf32> -> tensor<3xf32>
  %29:2 = rnn.sru "i6" %x wx(@wx4) b(@b2) peephole(@p, @p) init(%y) : tensor<4xf32> -> tensor<3xf32>
  %30 = rnn.dropout %x <frame> p(0.5) : tensor<4xf32>
  %31 = rnn.dropout %x <stream> p(0) : tensor<4xf32>
  %32 = rnn.training : tensor<3xi1>
  rnn.output
}
// CHECK-LABEL: rnn.network @losses
// CHECK-NEXT:    rnn.sigmoid_cross_entropy %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
// CHECK-NEXT:    rnn.mean_squared_error %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
// CHECK-NEXT:    rnn.mean_absolute_error %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
// CHECK-NEXT:    rnn.huber %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
// CHECK-NEXT:    rnn.huber %x, %t {delta = 5.000000e-01 : f64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
// CHECK-NEXT:    rnn.ctc "a" %x, %l, %n : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<f32>
// CHECK-NEXT:    rnn.ctc "b" %x, %l, %n {zero_infinity} : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<f32>
rnn.network @losses(%x: tensor<4xf32>, %t: tensor<4xf32>, %l: tensor<3xi32>, %n: tensor<i32>) -> () {
  %0 = rnn.sigmoid_cross_entropy %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  %1 = rnn.mean_squared_error %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  %2 = rnn.mean_absolute_error %x, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  %3 = rnn.huber %x, %t {delta = 1.0} : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  %4 = rnn.huber %x, %t {delta = 0.5} : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  %5 = rnn.ctc "a" %x, %l, %n : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<f32>
  %6 = rnn.ctc "b" %x, %l, %n {zero_infinity} : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<f32>
  rnn.output
}
rnn.network @callee(%x: tensor<3xf32>) -> (y: tensor<3xf32>) {
  rnn.output %x : tensor<3xf32>
}

// CHECK: rnn.train_step @full of @composites loss("nll" mean weight 5.000000e-01) metric("nll" sum) optimizer(#rnn.adam<lr = 4.000000e-03, beta1 = 8.000000e-01>) clip<norm = 1.000000e+00> bptt<window = 64, advance = 32>
rnn.train_step @full of @composites loss("nll" mean weight 0.5) metric("nll" sum)
  optimizer(#rnn.adam<lr = 0.004, beta1 = 0.8>) clip<norm = 1.0> bptt<window = 64, advance = 32>
// CHECK: rnn.train_step @short of @composites loss("nll" sum) optimizer(#rnn.sgd<lr = 1.000000e-02>)
rnn.train_step @short of @composites loss("nll" sum) optimizer(#rnn.sgd<>)
// CHECK: rnn.train_step @clipped of @composites loss("nll" sum) optimizer(#rnn.sgd<lr = 1.000000e-02>) clip<value = 5.000000e-01>{{$}}
rnn.train_step @clipped of @composites loss("nll" sum) optimizer(#rnn.sgd<>) clip<value = 0.5>
// CHECK: optimizer(#rnn.sgd<lr = 1.000000e-02, momentum = 5.000000e-01, nesterov = true>)
rnn.train_step @nesterov of @composites loss("nll" sum) optimizer(#rnn.sgd<nesterov = true, momentum = 0.5>)
// CHECK: optimizer(#rnn.sgd<lr = 1.000000e-02, momentum = 5.000000e-01>)
rnn.train_step @momentum of @composites loss("nll" sum) optimizer(#rnn.sgd<nesterov = false, momentum = 0.5>)
// CHECK: optimizer(#rnn.adamw<lr = 1.000000e-03>)
rnn.train_step @adamw of @composites loss("nll" sum) optimizer(#rnn.adamw<>)
// CHECK: optimizer(#rnn.adamw<lr = 1.000000e-03, beta2 = 5.000000e-01, weight_decay = 0.000000e+00>)
rnn.train_step @adam of @composites loss("nll" sum) optimizer(#rnn.adamw<beta2 = 0.5, weight_decay = 0>)
// CHECK: optimizer(#rnn.rmsprop<lr = 1.000000e-02>)
rnn.train_step @rmsprop of @composites loss("nll" sum) optimizer(#rnn.rmsprop<>)
// CHECK: optimizer(#rnn.rmsprop<lr = 1.000000e-02, alpha = 5.000000e-01, eps = 1.000000e-03, momentum = 2.500000e-01>)
rnn.train_step @velocity of @composites loss("nll" sum) optimizer(#rnn.rmsprop<momentum = 0.25, eps = 0.001, alpha = 0.5>)
// CHECK: optimizer(#rnn.rmsprop<lr = 1.000000e-02, centered = true>)
rnn.train_step @centered of @composites loss("nll" sum) optimizer(#rnn.rmsprop<centered = true>)
// CHECK: optimizer(#rnn.adam<lr = 1.000000e-03, amsgrad = true>)
rnn.train_step @amsgrad of @composites loss("nll" sum) optimizer(#rnn.adam<amsgrad = true>)
// CHECK: optimizer(#rnn.adamw<lr = 1.000000e-03, weight_decay = 0.000000e+00, amsgrad = true>)
rnn.train_step @amsgradw of @composites loss("nll" sum) optimizer(#rnn.adamw<amsgrad = true, weight_decay = 0>)
// CHECK: optimizer(#rnn.adagrad<lr = 1.000000e-02>)
rnn.train_step @adagrad of @composites loss("nll" sum) optimizer(#rnn.adagrad<>)
// CHECK: optimizer(#rnn.adagrad<lr = 5.000000e-01, lr_decay = 5.000000e-01, eps = 1.000000e-03>)
rnn.train_step @slowing of @composites loss("nll" sum) optimizer(#rnn.adagrad<lr = 0.5, eps = 0.001, lr_decay = 0.5>)
// CHECK: optimizer(#rnn.adadelta<lr = 1.000000e+00>)
rnn.train_step @adadelta of @composites loss("nll" sum) optimizer(#rnn.adadelta<>)
// CHECK: optimizer(#rnn.adadelta<lr = 5.000000e-01, rho = 5.000000e-01, weight_decay = 1.000000e-01>)
rnn.train_step @slower of @composites loss("nll" sum) optimizer(#rnn.adadelta<weight_decay = 0.1, rho = 0.5, lr = 0.5>)

// CHECK-LABEL: rnn.step @step train of @graph bptt<window = 4, advance = 2> losses [#rnn.loss<"nll", mean, 1.000000e+00, "">]
rnn.step @step train of @graph bptt<window = 4, advance = 2> losses [#rnn.loss<"nll", mean, 1.0, "">] metrics []
    (%x: tensor<4x4xf32>, %mask: tensor<i1>) -> (loss: tensor<f32> {rnn.rate = "static"}) {
  %true = arith.constant dense<true> : tensor<i1>
  // CHECK: rnn.save %x ring "0" : tensor<4x4xf32>
  %s = rnn.save %x ring "0" : tensor<4x4xf32>
  // CHECK: rnn.sum_frames %{{.*}} : tensor<4x4xf32>
  %f = rnn.sum_frames %s : tensor<4x4xf32>
  %l = rnn.reduce sum %f over [0, 1] : tensor<4x4xf32> to tensor<f32>
  // CHECK: rnn.seed %{{.*}} : tensor<f32>
  %e = rnn.seed %l : tensor<f32>
  %w = rnn.param @w : tensor<4x4xf32>
  // CHECK: rnn.gradient %{{.*}} wrt(%{{.*}}, %{{.*}}) : (tensor<f32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>)
  %g:2 = rnn.gradient %l wrt(%w, %x) : (tensor<f32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>)
  // CHECK: rnn.assign @w, %{{.*}} : tensor<4x4xf32>
  rnn.assign @w, %g#0 : tensor<4x4xf32>
  // CHECK: rnn.guard %{{.*}} : tensor<i1>
  rnn.guard %true : tensor<i1>
  rnn.output %l : tensor<f32>
}

// CHECK-LABEL: rnn.schedule @schedule infer of @graph streams 2 (%x: tensor<?x2x4xf32>, %r: tensor<?x2xi1> {rnn.reset}) -> (h: tensor<?x2x4xf32>)
rnn.schedule @schedule infer of @graph streams 2 (%x: tensor<?x2x4xf32>, %r: tensor<?x2xi1> {rnn.reset}) -> (h: tensor<?x2x4xf32>) {
  // CHECK: rnn.parallel chunk ins(%x as %{{.*}} frame) {slots = [#rnn.slot<offset = 0, per_frame = 32>]} : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
  %g = rnn.parallel chunk ins(%x as %x0 frame) {slots = [#rnn.slot<offset = 0, per_frame = 32>]} : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %0 = rnn.sigmoid %x0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  // CHECK: rnn.recurrent causal chunk ins(%{{.*}} as %{{.*}} frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
  %h = rnn.recurrent causal chunk ins(%g as %g0 frame) : (tensor<?x2x4xf32>) -> tensor<?x2x4xf32> {
    %h1 = rnn.delay %h0 by 1 state "h" : tensor<4xf32>
    %h0 = rnn.sum %g0, %h1 : tensor<4xf32>
    rnn.yield %h0 : tensor<4xf32>
  }
  // CHECK: rnn.reduction chunk ins(%{{.*}} as %{{.*}} frame) : (tensor<?x2x4xf32>) -> tensor<4xf32> {
  %s = rnn.reduction chunk ins(%h as %h0 frame) : (tensor<?x2x4xf32>) -> tensor<4xf32> {
    %0 = rnn.sum_frames %h0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  // CHECK: rnn.keep %{{.*}} as "state.h" frames 1 : tensor<?x2x4xf32>
  rnn.keep %h as "state.h" frames 1 : tensor<?x2x4xf32>
  // CHECK: rnn.return %{{.*}} : tensor<?x2x4xf32>
  rnn.return %h : tensor<?x2x4xf32>
}

// The number of streams may be left open; stream and frame rate differ in the number of open dimensions.

// CHECK-LABEL: rnn.schedule @any infer of @graph streams ? (%x: tensor<?x?x4xf32>, %g: tensor<?x4xf32> {rnn.rate = "stream"}) -> (y: tensor<?x?x4xf32>)
rnn.schedule @any infer of @graph streams ? (%x: tensor<?x?x4xf32>, %g: tensor<?x4xf32> {rnn.rate = "stream"}) -> (y: tensor<?x?x4xf32>) {
  // CHECK: rnn.parallel chunk ins(%x as %{{.*}} frame, %g as %{{.*}} stream) : (tensor<?x?x4xf32>, tensor<?x4xf32>) -> tensor<?x?x4xf32>
  %y = rnn.parallel chunk ins(%x as %x0 frame, %g as %g0 stream) : (tensor<?x?x4xf32>, tensor<?x4xf32>) -> tensor<?x?x4xf32> {
    %0 = arith.mulf %x0, %g0 : tensor<4xf32>
    rnn.yield %0 : tensor<4xf32>
  }
  // CHECK: rnn.keep %{{.*}} as "state.y" frames 2 : tensor<?x?x4xf32>
  rnn.keep %y as "state.y" frames 2 : tensor<?x?x4xf32>
  rnn.return %y : tensor<?x?x4xf32>
}
