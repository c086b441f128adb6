// Every pass of the pipelines keeps the meaning of a network with peepholes, delays in both directions and resets.
// RUN: rnn-opt %s --test-rnn-interpret-each --rnn-to-graph --cse --rnn-partition -o /dev/null
// RUN: rnn-opt %s --test-rnn-interpret-each --rnn-to-graph '--rnn-partition=mode=sequential streams=2' -o /dev/null

rnn.parameter @l0.wx : tensor<8x12xf32> init(#rnn.uniform<-0.08, 0.08>)
rnn.parameter @l0.wh : tensor<12x3xf32> init(#rnn.orthogonal<blocks = 4>)
rnn.parameter @l0.b : tensor<12xf32> init(#rnn.zeros)
rnn.parameter @l0.pi : tensor<3xf32> init(#rnn.zeros)
rnn.parameter @l0.pf : tensor<3xf32> init(#rnn.zeros)
rnn.parameter @l0.po : tensor<3xf32> init(#rnn.zeros)
rnn.parameter @out : tensor<8x3xf32> init(#rnn.uniform<>)

rnn.network @filter(%x: tensor<3xf32>) -> (y: tensor<3xf32>) {
  %old = rnn.delay %x by 3 init(%x) : tensor<3xf32>
  %sum = rnn.sum %x, %old : tensor<3xf32>
  %y1 = rnn.delay %y by 1 : tensor<3xf32>
  %y2 = rnn.delay %y1 by 1 : tensor<3xf32>
  %step = arith.subf %sum, %y2 : tensor<3xf32>
  %y = math.tanh %step : tensor<3xf32>
  rnn.output %y : tensor<3xf32>
}

rnn.network @n(%x: tensor<i32>, %target: tensor<i32>, %r: tensor<i1> {rnn.reset})
    -> (logits: tensor<8xf32>, nll: tensor<f32>, later: tensor<3xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@l0.wx) wh(@l0.wh) b(@l0.b) peephole(@l0.pi, @l0.pf, @l0.po)
         : tensor<i32> -> tensor<3xf32>
  %f = rnn.call "f0" @filter(%h) : (tensor<3xf32>) -> tensor<3xf32>
  %next = rnn.delay %later by -1 : tensor<3xf32>
  %gate = rnn.sigmoid %next : tensor<3xf32>
  %later = arith.mulf %f, %gate : tensor<3xf32>
  %w = rnn.param @out : tensor<8x3xf32>
  %logits = rnn.linear %later, %w : (tensor<3xf32>, tensor<8x3xf32>) -> tensor<8xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<8xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll, %later : tensor<8xf32>, tensor<f32>, tensor<3xf32>
}
