// RUN: rnn-translate --rnn-to-json %s | FileCheck %s
// RUN: rnn-translate --rnn-to-json %s -o %t.once && rnn-translate --rnn-to-json %s | cmp %t.once -
// RUN: rnn-opt %s --emit-bytecode | rnn-translate --rnn-to-json | cmp %t.once -
// RUN: %python -c "import json, sys; json.load(sys.stdin)" < %t.once
// What test/Oracle reads has its meaning tested there; here are the forms that attributes take.

// One line; slots are left out; bounds that are not given are absent.
// CHECK: {"format":1,"parameters":[
// CHECK-SAME: {"name":"w","shape":[4,4],"dtype":"f32","init":{"kind":"uniform"},"trainable":true},
// CHECK-SAME: {"name":"b","shape":[4],"dtype":"f32","init":{"kind":"normal","mean":0.0,"std":0.1},"trainable":false}],
rnn.parameter @w : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.parameter @b : tensor<4xf32> init(#rnn.normal<std = 0.1>) frozen
rnn.parameter @opt.m.w : tensor<4x4xf32> init(#rnn.zeros) slot

// The cell is a network of its own, then a part of the other; ids count from the arguments on.
// CHECK-SAME: "networks":[{"name":"cell","arguments":[{"name":"x","id":0,"shape":[4],"dtype":"f32","rate":"frame","reset":false}],
// CHECK-SAME: "results":[{"name":"h","id":2,"rate":"frame"}],
// CHECK-SAME: "ops":[{"op":"rnn.delay","operands":[2],"results":[{"id":1,"shape":[4],"dtype":"f32"}],"attrs":{"by":1,"name":"h"}},
rnn.network @cell(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %h1 = rnn.delay %h by 1 : tensor<4xf32>
  %h = arith.addf %x, %h1 : tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}

// CHECK-SAME: {"name":"net","arguments":[{{.*}}"rate":"static","reset":false},{"name":"r","id":1,"shape":[],"dtype":"i1","rate":"frame","reset":true}],
// CHECK-SAME: "attrs":{"by":1,"name":"l0.h"}
// CHECK-SAME: {"op":"rnn.contract",{{.*}}"attrs":{"indexing_maps":{{\[\[}}0,1],[1],[0]]}},
// CHECK-SAME: "attrs":{"by":-2,"local":true,"name":"x"}
// CHECK-SAME: "attrs":{"value":{"dtype":"f32","shape":[4],"values":["nan","inf","-inf",0.10000000149011612]}}
// CHECK-SAME: "attrs":{"value":{"dtype":"f64","shape":[4],"values":[1e-08]}}
// CHECK-SAME: "attrs":{"value":{"dtype":"i1","shape":[2],"values":[true,false]}}
// CHECK-SAME: "attrs":{"value":{"dtype":"i8","shape":[],"values":[-1]}}
// CHECK-SAME: "attrs":{"fastmath":"none","predicate":"olt"}
// CHECK-SAME: "attrs":{"predicate":"ult"}
// CHECK-SAME: "attrs":{"dims":[0],"kind":"max"}
// CHECK-SAME: "attrs":{"sum_to":"stream"}
// CHECK-SAME: "attrs":{"static_offsets":[1],"static_sizes":[2],"static_strides":[1]}
// CHECK-NOT: rnn.output
rnn.network @net(%x: tensor<4xf32> {rnn.rate = "static"}, %r: tensor<i1> {rnn.reset})
    -> (y: tensor<4xf32>, e: tensor<f32>, m: tensor<i1>) {
  %h = rnn.call "l0" @cell(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %w = rnn.param @w : tensor<4x4xf32>
  %y = rnn.linear %h, %w : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  %z = rnn.delay %x by -2 local : tensor<4xf32>
  %odd = arith.constant dense<[0x7FC00000, 0x7F800000, 0xFF800000, 0.1]> : tensor<4xf32>
  %small = arith.constant dense<1.0e-8> : tensor<4xf64>
  %flags = arith.constant dense<[true, false]> : tensor<2xi1>
  %byte = arith.constant dense<-1> : tensor<i8>
  %lt = arith.cmpf olt, %y, %z : tensor<4xf32>
  %m = arith.cmpi ult, %byte, %byte : tensor<i8>
  %e = rnn.reduce max %y over [0] : tensor<4xf32> to tensor<f32>
  %s = rnn.sum_frames %e sum_to <stream> : tensor<f32>
  %part = tensor.extract_slice %y[1] [2] [1] : tensor<4xf32> to tensor<2xf32>
  rnn.output %y, %e, %m : tensor<4xf32>, tensor<f32>, tensor<i1>
}

// CHECK-SAME: "train_steps":[{"name":"step","network":"net","losses":[{"result":"e","reduction":"sum","weight":0.5,"mask":"m"}],
// CHECK-SAME: "metrics":[{"result":"e","reduction":"mean","weight":1.0,"mask":"m"}],
// CHECK-SAME: "optimizer":{"kind":"sgd","lr":0.01,"momentum":0.9,"weight_decay":0.0,"nesterov":false},"clip_norm":2.5,"clip_value":null,"window":8,"advance":4},
// CHECK-SAME: {"name":"full",{{.*}}"mask":null{{.*}}"optimizer":{"kind":"adam","lr":0.001,"beta1":0.9,"beta2":0.999,"eps":1e-08,"weight_decay":0.0,"amsgrad":false},"clip_norm":null,"clip_value":null,"window":0,"advance":0},
// CHECK-SAME: "optimizer":{"kind":"adamw","lr":0.001,"beta1":0.9,"beta2":0.999,"eps":1e-08,"weight_decay":0.01,"amsgrad":true}
// CHECK-SAME: "optimizer":{"kind":"rmsprop","lr":0.01,"alpha":0.99,"eps":1e-08,"momentum":0.0,"weight_decay":0.0,"centered":true}
// CHECK-SAME: "optimizer":{"kind":"adagrad","lr":0.01,"lr_decay":0.0,"eps":1e-10,"weight_decay":0.0}
// CHECK-SAME: "optimizer":{"kind":"adadelta","lr":1.0,"rho":0.9,"eps":1e-06,"weight_decay":0.0},"clip_norm":null,"clip_value":0.5,"window":0,"advance":0}]}
rnn.train_step @step of @net loss("e" sum weight 0.5 mask "m") metric("e" mean mask "m")
  optimizer(#rnn.sgd<momentum = 0.9>) clip<norm = 2.5> bptt<window = 8, advance = 4>
rnn.train_step @full of @net loss("e" mean) optimizer(#rnn.adam<>)
rnn.train_step @decayed of @net loss("e" mean) optimizer(#rnn.adamw<amsgrad = true>)
rnn.train_step @scaled of @net loss("e" mean) optimizer(#rnn.rmsprop<centered = true>)
rnn.train_step @summed of @net loss("e" mean) optimizer(#rnn.adagrad<>)
rnn.train_step @adaptive of @net loss("e" mean) optimizer(#rnn.adadelta<>) clip<value = 0.5>

// What was built from the graph is left out.
rnn.step @built eval of @net (%x: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
