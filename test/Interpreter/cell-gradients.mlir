// Gradients of cells that go through the frames backwards, and of cells that keep what they draw, against central
// differences: the frame that is last is the first, and the numbers drawn are the same on both sides of a difference.
// RUN: rnn-opt %s -split-input-file -rnn-to-gradient=keep=gradients -test-rnn-gradients -o /dev/null

// Backwards.
rnn.parameter @e.wx : tensor<3x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @e.wh : tensor<3x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @e.b : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wx : tensor<9x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wh : tensor<9x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.b : tensor<9xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.bn : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wx : tensor<12x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wh : tensor<12x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.b : tensor<12xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.pi : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.pf : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.po : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @i.wx : tensor<3x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @i.u : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @i.b : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @m.wx : tensor<6x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @m.b : tensor<6xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @s.wx : tensor<12x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @s.b : tensor<6xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @s.vf : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @s.vr : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<2xf64>, %new: tensor<i1> {rnn.reset}, %on: tensor<i1>, %target: tensor<3xf64>) -> (loss_of_frame: tensor<f64>) {
  %e = rnn.elman "e" %x wx(@e.wx) wh(@e.wh) b(@e.b) reverse : tensor<2xf64> -> tensor<3xf64>
  %g = rnn.gru "g" %x wx(@g.wx) wh(@g.wh) b(@g.b) reverse bn(@g.bn) : tensor<2xf64> -> tensor<3xf64>
  %l, %l.c = rnn.lstm "l" %x wx(@l.wx) wh(@l.wh) b(@l.b) reverse peephole(@l.pi, @l.pf, @l.po) : tensor<2xf64> -> tensor<3xf64>
  %i = rnn.indrnn "i" %x wx(@i.wx) u(@i.u) b(@i.b) reverse activation(tanh) : tensor<2xf64> -> tensor<3xf64>
  %m = rnn.min_gru "m" %x wx(@m.wx) b(@m.b) reverse : tensor<2xf64> -> tensor<3xf64>
  %s, %s.c = rnn.sru "s" %x wx(@s.wx) b(@s.b) reverse peephole(@s.vf, @s.vr) : tensor<2xf64> -> tensor<3xf64>
  %h = rnn.sum %e, %g, %l, %i, %m, %s : tensor<3xf64>
  %loss = rnn.mean_squared_error %h, %target : (tensor<3xf64>, tensor<3xf64>) -> tensor<f64>
  rnn.output %loss : tensor<f64>
}
rnn.train_step @step of @net loss("loss_of_frame" mean) optimizer(#rnn.sgd<>)

// -----

// Zoneout.
rnn.parameter @e.wx : tensor<3x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @e.wh : tensor<3x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @e.b : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wx : tensor<9x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wh : tensor<9x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.b : tensor<9xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @b.wx : tensor<9x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @b.wh : tensor<9x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @b.b : tensor<9xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wx : tensor<12x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wh : tensor<12x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.b : tensor<12xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<2xf64>, %new: tensor<i1> {rnn.reset}, %on: tensor<i1>, %target: tensor<3xf64>) -> (loss_of_frame: tensor<f64>) {
  %e = rnn.elman "e" %x wx(@e.wx) wh(@e.wh) b(@e.b) zoneout(0.25) : tensor<2xf64> -> tensor<3xf64>
  %g = rnn.gru "g" %x wx(@g.wx) wh(@g.wh) b(@g.b) zoneout(0.5) : tensor<2xf64> -> tensor<3xf64>
  %b = rnn.gru "b" %x wx(@b.wx) wh(@b.wh) b(@b.b) reset(before) zoneout(0.25) : tensor<2xf64> -> tensor<3xf64>
  %l, %l.c = rnn.lstm "l" %x wx(@l.wx) wh(@l.wh) b(@l.b) zoneout(0.25, 0.5) : tensor<2xf64> -> tensor<3xf64>
  %h = rnn.sum %e, %g, %b, %l : tensor<3xf64>
  %loss = rnn.mean_squared_error %h, %target : (tensor<3xf64>, tensor<3xf64>) -> tensor<f64>
  rnn.output %loss : tensor<f64>
}
rnn.train_step @step of @net loss("loss_of_frame" mean) optimizer(#rnn.sgd<>)

// -----

// Both, with a clock and a restart.
rnn.parameter @e.wx : tensor<3x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @e.wh : tensor<3x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @e.b : tensor<3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wx : tensor<9x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wh : tensor<9x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.b : tensor<9xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wx : tensor<12x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wh : tensor<12x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.b : tensor<12xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<2xf64>, %new: tensor<i1> {rnn.reset}, %on: tensor<i1>, %target: tensor<3xf64>) -> (loss_of_frame: tensor<f64>) {
  %e = rnn.elman "e" %x wx(@e.wx) wh(@e.wh) b(@e.b) reverse zoneout(0.25) clock(%on) restart(%new) : tensor<2xf64> -> tensor<3xf64>
  %g = rnn.gru "g" %x wx(@g.wx) wh(@g.wh) b(@g.b) reverse zoneout(0.5) clock(%on) : tensor<2xf64> -> tensor<3xf64>
  %l, %l.c = rnn.lstm "l" %x wx(@l.wx) wh(@l.wh) b(@l.b) reverse zoneout(0.25, 0.5) clock(%on) restart(%on) : tensor<2xf64> -> tensor<3xf64>
  %h = rnn.sum %e, %g, %l : tensor<3xf64>
  %loss = rnn.mean_squared_error %h, %target : (tensor<3xf64>, tensor<3xf64>) -> tensor<f64>
  rnn.output %loss : tensor<f64>
}
rnn.train_step @step of @net loss("loss_of_frame" mean) optimizer(#rnn.sgd<>)

// -----

// Zoneout in a window.
rnn.parameter @g.wx : tensor<9x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.wh : tensor<9x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @g.b : tensor<9xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wx : tensor<12x2xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.wh : tensor<12x3xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.parameter @l.b : tensor<12xf64> init(#rnn.uniform<-0.5, 0.5>)
rnn.network @net(%x: tensor<2xf64>, %new: tensor<i1> {rnn.reset}, %on: tensor<i1>, %target: tensor<3xf64>) -> (loss_of_frame: tensor<f64>) {
  %g = rnn.gru "g" %x wx(@g.wx) wh(@g.wh) b(@g.b) zoneout(0.5) clock(%on) : tensor<2xf64> -> tensor<3xf64>
  %l, %l.c = rnn.lstm "l" %x wx(@l.wx) wh(@l.wh) b(@l.b) zoneout(0.25, 0.5) : tensor<2xf64> -> tensor<3xf64>
  %h = rnn.sum %g, %l : tensor<3xf64>
  %loss = rnn.mean_squared_error %h, %target : (tensor<3xf64>, tensor<3xf64>) -> tensor<f64>
  rnn.output %loss : tensor<f64>
}
rnn.train_step @step of @net loss("loss_of_frame" mean) optimizer(#rnn.sgd<>) bptt<window = 6, advance = 2>
