// RUN: rnn-opt %s -rnn-build-step -split-input-file -verify-diagnostics
// RUN: not rnn-opt -rnn-build-step=of=stepp %S/Inputs/train-step.mlir 2>&1 | FileCheck %s --check-prefix=OF
// RUN: not rnn-opt -rnn-build-step=keep=everything %S/Inputs/train-step.mlir 2>&1 | FileCheck %s --check-prefix=KEEP

// OF: error: no train step named 'stepp'
// KEEP: error: unknown value 'everything' of keep; expected gradients or results

rnn.network @cell(%x: tensor<f32>) -> (y: tensor<f32>) {
  rnn.output %x : tensor<f32>
}
rnn.network @net(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-error @below {{'rnn.call' op must be written out by rnn-inline and rnn-expand-cells before rnn-build-step}}
  %y = rnn.call "c" @cell(%x) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}
rnn.train_step @step of @net loss("y" sum) optimizer(#rnn.sgd<>)
