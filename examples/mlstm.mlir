// An mLSTM of two heads (xLSTM, Beck et al. 2024), written in arithmetic: its state is a matrix per head.
//
//   rnn-run examples/mlstm.mlir --function=step --input=in.npz --compare=interpreter
//
//   C = f·C[t-1] + i·v kᵀ   n = f·n[t-1] + i·k   h = o ∘ (C q / max(|n·q|, 1)),   i = exp(ai), f = σ(af) numbers per head
//
// As in examples/slstm.mlir C and n are kept divided by exp(m), and 1 with them. Queries, keys, values and gates see the
// input only, so all products with weights run for all frames at once; what is left of the loops is affine in C and n.

rnn.parameter @wq : tensor<2x4x6xf32> init(#rnn.uniform<>)
rnn.parameter @wk : tensor<2x4x6xf32> init(#rnn.uniform<>)
rnn.parameter @wv : tensor<2x4x6xf32> init(#rnn.uniform<>)
rnn.parameter @wo : tensor<2x4x6xf32> init(#rnn.uniform<>)
rnn.parameter @wi : tensor<2x6xf32> init(#rnn.uniform<>)
rnn.parameter @wf : tensor<2x6xf32> init(#rnn.uniform<>)
rnn.parameter @bf : tensor<2xf32> init(#rnn.constant<2.0>)

rnn.network @mlstm(%x: tensor<6xf32>, %target: tensor<2x4xf32>) -> (h: tensor<2x4xf32>, mse: tensor<f32>) {
  %low = arith.constant dense<-1.0e30> : tensor<2xf32>
  %C1 = rnn.delay %C by 1 : tensor<2x4x4xf32>
  %n1 = rnn.delay %n by 1 : tensor<2x4xf32>
  %m1 = rnn.delay %m by 1 init(%low) : tensor<2xf32>

  %wq = rnn.param @wq : tensor<2x4x6xf32>
  %wk = rnn.param @wk : tensor<2x4x6xf32>
  %wv = rnn.param @wv : tensor<2x4x6xf32>
  %wo = rnn.param @wo : tensor<2x4x6xf32>
  %q = rnn.contract %wq, %x
       [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d2), (d0, d1, d2) -> (d0, d1)]
       : (tensor<2x4x6xf32>, tensor<6xf32>) -> tensor<2x4xf32>
  %k2 = rnn.contract %wk, %x
        [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d2), (d0, d1, d2) -> (d0, d1)]
        : (tensor<2x4x6xf32>, tensor<6xf32>) -> tensor<2x4xf32>
  %v = rnn.contract %wv, %x
       [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d2), (d0, d1, d2) -> (d0, d1)]
       : (tensor<2x4x6xf32>, tensor<6xf32>) -> tensor<2x4xf32>
  %ao = rnn.contract %wo, %x
        [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d2), (d0, d1, d2) -> (d0, d1)]
        : (tensor<2x4x6xf32>, tensor<6xf32>) -> tensor<2x4xf32>
  %half = arith.constant dense<0.5> : tensor<2x4xf32>
  %k = arith.mulf %half, %k2 : tensor<2x4xf32>  // 1/sqrt(4), the size of a head
  %o = rnn.sigmoid %ao : tensor<2x4xf32>

  // log f = -softplus(-af), m = max(log f + m[t-1], ai)
  %wi = rnn.param @wi : tensor<2x6xf32>
  %wf = rnn.param @wf : tensor<2x6xf32>
  %bf = rnn.param @bf : tensor<2xf32>
  %ai = rnn.linear %x, %wi : (tensor<6xf32>, tensor<2x6xf32>) -> tensor<2xf32>
  %af = rnn.linear %x, %wf, %bf : (tensor<6xf32>, tensor<2x6xf32>, tensor<2xf32>) -> tensor<2xf32>
  %minus.af = arith.negf %af : tensor<2xf32>
  %minus.logf = rnn.softplus %minus.af : tensor<2xf32>
  %kept = arith.subf %m1, %minus.logf : tensor<2xf32>
  %larger = arith.maximumf %kept, %ai : tensor<2xf32>
  %m = rnn.stop_gradient %larger : tensor<2xf32>
  %logi = arith.subf %ai, %m : tensor<2xf32>
  %logf = arith.subf %kept, %m : tensor<2xf32>
  %i = math.exp %logi : tensor<2xf32>
  %f = math.exp %logf : tensor<2xf32>

  %i2 = rnn.broadcast %i along [1] : tensor<2xf32> to tensor<2x4xf32>
  %ik = arith.mulf %i2, %k : tensor<2x4xf32>
  %f2 = rnn.broadcast %f along [1] : tensor<2xf32> to tensor<2x4xf32>
  %f3 = rnn.broadcast %f along [1, 2] : tensor<2xf32> to tensor<2x4x4xf32>
  %ivk = rnn.contract %v, %ik
         [(d0, d1, d2) -> (d0, d1), (d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d0, d1, d2)]
         : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4x4xf32>
  %fC = arith.mulf %f3, %C1 : tensor<2x4x4xf32>
  %C = arith.addf %fC, %ivk : tensor<2x4x4xf32>
  %fn = arith.mulf %f2, %n1 : tensor<2x4xf32>
  %n = arith.addf %fn, %ik : tensor<2x4xf32>

  %Cq = rnn.contract %C, %q
        [(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d0, d1)]
        : (tensor<2x4x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %nq = rnn.contract %n, %q
        [(d0, d1) -> (d0, d1), (d0, d1) -> (d0, d1), (d0, d1) -> (d0)]
        : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
  %size = math.absf %nq : tensor<2xf32>
  %minus.m = arith.negf %m : tensor<2xf32>
  %one = math.exp %minus.m : tensor<2xf32>
  %divisor = arith.maximumf %size, %one : tensor<2xf32>
  %divisors = rnn.broadcast %divisor along [1] : tensor<2xf32> to tensor<2x4xf32>
  %read = arith.divf %Cq, %divisors : tensor<2x4xf32>
  %h = arith.mulf %o, %read : tensor<2x4xf32>

  %mse = rnn.mean_squared_error %h, %target : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<f32>
  rnn.output %h, %mse : tensor<2x4xf32>, tensor<f32>
}

rnn.train_step @step of @mlstm loss("mse" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 16, advance = 16>
