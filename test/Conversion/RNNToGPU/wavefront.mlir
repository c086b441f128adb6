// RUN: rnn-opt %s --rnn-to-schedule -o %t.mlir
// RUN: rnn-opt %t.mlir -rnn-form-wavefronts -rnn-plan-memory -convert-rnn-to-gpu=regime=grid -remarks-filter=rnn-launch -o %t.gpu.mlir 2>&1 | FileCheck %s --check-prefix=REMARKS
// RUN: FileCheck %s < %t.gpu.mlir
// RUN: FileCheck %s --check-prefix=KERNELS < %t.gpu.mlir
// RUN: rnn-opt %t.mlir -rnn-form-wavefronts -rnn-plan-memory -convert-rnn-to-gpu="regime=grid multiprocessors=3 piece-frames=5" -remarks-filter=rnn-launch -o %t.gpu.mlir 2>&1 | FileCheck %s --check-prefix=FEW
// RUN: FileCheck %s --check-prefix=PIECES < %t.gpu.mlir

// Sequences are preset once, before the wavefront. In it, the product waits for the loop, and the second loop for the
// product; each for its own piece before.
// CHECK:      func.func @rnn_fn_0({{.*}}rnn.pieces = {frames = 64 : i64, most = 16 : i64}
// PIECES:     func.func @rnn_fn_0({{.*}}rnn.pieces = {frames = 5 : i64, most = 16 : i64}
// CHECK-NOT:  rnn.wavefront
// CHECK:      gpu.launch_func
// CHECK-NOT:  rnn.wavefront
// CHECK:      gpu.launch_func {{.*}}rnn.after = array<i64>, rnn.behind = array<i64: 0>, rnn.cooperative, rnn.wavefront = 0 : i64}
// CHECK:      gpu.launch_func {{.*}}rnn.after = array<i64: 0>, rnn.behind = array<i64: 1>, rnn.wavefront = 0 : i64}
// CHECK:      gpu.launch_func {{.*}}rnn.after = array<i64: 1>, rnn.behind = array<i64: 2>, rnn.cooperative, rnn.wavefront = 0 : i64}
// CHECK-NOT:  rnn.wavefront
// CHECK:      return

// Its kernels take the first frame and the number of frames besides; of the others none does.
// KERNELS-COUNT-3: gpu.func {{.*}}: i64, %{{[^,]*}}: i64, %{{[^,]*}}: i64)
// KERNELS-NOT:     gpu.func {{.*}}: i64, %{{[^,]*}}: i64, %{{[^,]*}}: i64)

// REMARKS-DAG: [Passed] Wavefront |
// REMARKS-DAG: [Analysis] LoopByUnits {{.*}}Wavefront=0
// REMARKS-DAG: [Passed] WavefrontOverlaps | {{.*}}Launches=3
// FEW:         [Missed] WavefrontInOrder | {{.*}}Reason="there are fewer multiprocessors than blocks that wait for one another"

rnn.parameter @wx : tensor<64x64xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<64x64xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<64xf32>) -> (h: tensor<64xf32>) {
  %wx = rnn.param @wx : tensor<64x64xf32>
  %wh = rnn.param @wh : tensor<64x64xf32>
  %h1 = rnn.delay %h by 1 : tensor<64xf32>
  %u = rnn.linear %h1, %wh : (tensor<64xf32>, tensor<64x64xf32>) -> tensor<64xf32>
  %s = rnn.sum %x, %u : tensor<64xf32>
  %h = math.tanh %s : tensor<64xf32>
  %a = rnn.linear %h, %wx : (tensor<64xf32>, tensor<64x64xf32>) -> tensor<64xf32>
  %k1 = rnn.delay %k by 1 : tensor<64xf32>
  %v = rnn.linear %k1, %wh : (tensor<64xf32>, tensor<64x64xf32>) -> tensor<64xf32>
  %r = rnn.sum %a, %v : tensor<64xf32>
  %k = math.tanh %r : tensor<64xf32>
  rnn.output %k : tensor<64xf32>
}
