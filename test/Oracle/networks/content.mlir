// A memory of 36 rows that the state addresses by content, and a table by a sign: products of two signals, reductions of
// parts of the elements, a row of a table. Its elements belong to no units of a GPU's loop: test_loops.py.
!V = tensor<40xf32>
!P = tensor<36xf32>
!M = tensor<36x40xf32>
rnn.parameter @w : tensor<40x40xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @table : tensor<3x40xf32> init(#rnn.uniform<-0.2, 0.2>)
rnn.parameter @first : !M init(#rnn.uniform<-1.0, 1.0>)
rnn.network @net(%x: !V, %target: !V) -> (e: tensor<f32>) {
  %w = rnn.param @w : tensor<40x40xf32>
  %table = rnn.param @table : tensor<3x40xf32>
  %h1 = rnn.delay %h by 1 : !V
  %first = rnn.param @first : !M
  %m1 = rnn.delay %m by 1 init(%first) : !M
  %key = rnn.linear %h1, %w : (!V, tensor<40x40xf32>) -> !V
  %s = rnn.contract %m1, %key [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (!M, !V) -> !P
  %most = rnn.reduce max %s over [0] : !P to tensor<f32>
  %all = rnn.broadcast %most along [0] : tensor<f32> to !P
  %less = arith.subf %s, %all : !P
  %exp = math.exp %less : !P
  %sum = rnn.reduce sum %exp over [0] : !P to tensor<f32>
  %sums = rnn.broadcast %sum along [0] : tensor<f32> to !P
  %p = arith.divf %exp, %sums : !P
  %read = rnn.contract %p, %m1 [(d0, d1) -> (d0), (d0, d1) -> (d0, d1), (d0, d1) -> (d1)] : (!P, !M) -> !V
  %zero = arith.constant dense<0.0> : tensor<f32>
  %up = arith.constant dense<2> : tensor<i32>
  %down = arith.constant dense<1> : tensor<i32>
  %one = tensor.extract_slice %h1[0] [1] [1] : !V to tensor<f32>
  %sign = arith.cmpf ogt, %one, %zero : tensor<f32>
  %index = arith.select %sign, %up, %down : tensor<i1>, tensor<i32>
  %row = rnn.gather %table, %index : (tensor<3x40xf32>, tensor<i32>) -> !V
  %sh = rnn.sum %x, %read, %row : !V
  %h = math.tanh %sh : !V
  %write = rnn.contract %p, %h [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] : (!P, !V) -> !M
  %half = arith.constant dense<0.5> : !M
  %kept = arith.mulf %m1, %half : !M
  %m = arith.addf %kept, %write : !M
  %d = arith.subf %h, %target : !V
  %dd = arith.mulf %d, %d : !V
  %e = rnn.reduce sum %dd over [0] : !V to tensor<f32>
  rnn.output %e : tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>)
