// RUN: not rnn-opt %s -rnn-set-float=type=f16 2>&1 | FileCheck %s
// RUN: not rnn-opt %s -rnn-specialise=mode=test 2>&1 | FileCheck %s --check-prefix=MODE

// CHECK: error: unknown element type 'f16'; expected f64
// MODE: error: unknown mode 'test'; expected train, eval or infer
module {}
