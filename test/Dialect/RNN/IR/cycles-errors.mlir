// RUN: rnn-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// C1: every cycle has a delay
//===----------------------------------------------------------------------===//

// expected-error@+1 {{network @n has a cycle without a delay: %g -> %h -> %g}}
rnn.network @n(%x: tensor<f32>) -> (g: tensor<f32>, h: tensor<f32>) {
  // expected-note@+1 {{%g uses %h here}}
  %g = arith.addf %x, %h : tensor<f32>
  // expected-note@+1 {{%h uses %g here}}
  %h = math.tanh %g : tensor<f32>
  rnn.output %g, %h : tensor<f32>, tensor<f32>
}

// -----

// A signal without a recorded name is called as the printer calls it.
// expected-error@+1 {{network @self has a cycle without a delay: %0 -> %0}}
rnn.network @self(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-note@+1 {{%0 uses %0 here}}
  %a = arith.addf %x, %a : tensor<f32>
  rnn.output %x : tensor<f32>
}

// -----

// The shortest cycle is shown, wherever it is.
// expected-error@+1 {{network @shortest has a cycle without a delay: %d -> %e -> %d}}
rnn.network @shortest() -> (d: tensor<f32>, e: tensor<f32>) {
  %a = math.tanh %c : tensor<f32>
  %b = math.tanh %a : tensor<f32>
  %c = math.tanh %b : tensor<f32>
  // expected-note@+1 {{%d uses %e here}}
  %d = arith.addf %e, %c : tensor<f32>
  // expected-note@+1 {{%e uses %d here}}
  %e = math.tanh %d : tensor<f32>
  rnn.output %d, %e : tensor<f32>, tensor<f32>
}

// -----

// T2: an init is read at the same frame.
// expected-error@+1 {{network @init has a cycle without a delay: %y -> %1 -> %y}}
rnn.network @init(%x: tensor<f32>) -> (y: tensor<f32>) {
  // expected-note@+1 {{%y uses %1 here}}
  %y = rnn.delay %x by 1 init(%i) : tensor<f32>
  // expected-note@+1 {{%1 uses %y here}}
  %i = math.tanh %y : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

// Static values have cycles, too; a step is checked like a network.
// expected-error@+1 {{step @s has a cycle without a delay: %0 -> %1 -> %0}}
rnn.step @s train of @n () -> () {
  // expected-note@+1 {{%0 uses %1 here}}
  %a = rnn.sigmoid %b : tensor<f32>
  // expected-note@+1 {{%1 uses %0 here}}
  %b = rnn.sigmoid %a : tensor<f32>
  rnn.output
}

// -----

// What a call does is known when it has been written out: no error here.
rnn.network @step(%h: tensor<f32>) -> (next: tensor<f32>) {
  %h1 = rnn.delay %h by 1 : tensor<f32>
  rnn.output %h1 : tensor<f32>
}
rnn.network @call() -> (y: tensor<f32>) {
  %y = rnn.call "s" @step(%z) : (tensor<f32>) -> tensor<f32>
  %z = math.tanh %y : tensor<f32>
  %early = rnn.delay %y by -1 : tensor<f32>
  rnn.output %y : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// C1: one direction
//===----------------------------------------------------------------------===//

// expected-error@+1 {{cycle mixes positive and negative delays: %b -> %0 -> %a -> %2 -> %b}}
rnn.network @mixed() -> (y: tensor<f32>) {
  // expected-note@+1 {{delayed by 1 here}}
  %b1 = rnn.delay %b by 1 : tensor<f32>
  %a = math.tanh %b1 : tensor<f32>
  // expected-note@+1 {{delayed by -1 here}}
  %a1 = rnn.delay %a by -1 : tensor<f32>
  %b = math.tanh %a1 : tensor<f32>
  rnn.output %b : tensor<f32>
}

// -----

// expected-error@+2 {{cycle mixes positive and negative delays: %b -> %0 -> %a -> %2 -> %b}}
// expected-note@+1 {{the delays of the cycle add up to 2: retimed, it has one delay by 2 and no other}}
rnn.network @retimed() -> (y: tensor<f32>) {
  // expected-note@+1 {{delayed by 3 here}}
  %b3 = rnn.delay %b by 3 : tensor<f32>
  %a = math.tanh %b3 : tensor<f32>
  // expected-note@+1 {{delayed by -1 here}}
  %a1 = rnn.delay %a by -1 : tensor<f32>
  %b = math.tanh %a1 : tensor<f32>
  rnn.output %b : tensor<f32>
}

// -----

// Two loops that meet in one signal are one component.
// expected-error@+1 {{cycle mixes positive and negative delays: %h -> %0 -> %h -> %1 -> %h}}
rnn.network @eight(%x: tensor<f32>) -> (h: tensor<f32>) {
  // expected-note@+1 {{delayed by 2 here}}
  %a = rnn.delay %h by 2 : tensor<f32>
  // expected-note@+1 {{delayed by -2 here}}
  %b = rnn.delay %h by -2 : tensor<f32>
  %h = rnn.sum %x, %a, %b : tensor<f32>
  rnn.output %h : tensor<f32>
}

// -----

// A delay that enters the loop by its init alone takes no part.
rnn.network @entering(%x: tensor<f32>) -> (h: tensor<f32>) {
  %h1 = rnn.delay %h by 1 : tensor<f32>
  %later = rnn.delay %x by -1 init(%h1) : tensor<f32>
  %h = arith.addf %later, %x : tensor<f32>
  rnn.output %h : tensor<f32>
}

// -----

// Loops of both directions in one network are legal.
rnn.network @both(%x: tensor<f32>) -> (y: tensor<f32>) {
  %f1 = rnn.delay %f by 1 : tensor<f32>
  %f = arith.addf %f1, %x : tensor<f32>
  %b1 = rnn.delay %b by -1 : tensor<f32>
  %b = arith.addf %b1, %f : tensor<f32>
  rnn.output %b : tensor<f32>
}

// -----

//===----------------------------------------------------------------------===//
// C1: no sum over frames
//===----------------------------------------------------------------------===//

rnn.network @sum(%x: tensor<f32>) -> (h: tensor<f32>) {
  // expected-error@+2 {{'rnn.sum_frames' op sums over frames on a cycle: %0 -> %h -> %2 -> %0}}
  // expected-note@+1 {{%0 uses %2 here}}
  %s = rnn.sum_frames %h1 : tensor<f32>
  // expected-note@+1 {{%h uses %0 here}}
  %h = arith.addf %s, %x : tensor<f32>
  // expected-note@+1 {{%2 uses %h here}}
  %h1 = rnn.delay %h by 1 : tensor<f32>
  rnn.output %h : tensor<f32>
}

// -----

rnn.network @contract() -> (h: tensor<2xf32>) {
  // expected-note@+1 {{%0 uses %h here}}
  %h1 = rnn.delay %h by 1 : tensor<2xf32>
  // expected-error@+2 {{'rnn.contract' op sums over frames on a cycle: %h -> %0 -> %h}}
  // expected-note@+1 {{%h uses %0 here}}
  %h = rnn.contract %h1, %h1 [(d0) -> (d0), (d0) -> (d0), (d0) -> (d0)] sum_to stream : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  rnn.output %h : tensor<2xf32>
}

// -----

rnn.network @scatter(%i: tensor<2xi32>) -> (h: tensor<2xf32>) {
  // expected-note@+1 {{%0 uses %h here}}
  %h1 = rnn.delay %h by 1 : tensor<2xf32>
  // expected-error@+2 {{'rnn.scatter_add' op sums over frames on a cycle: %h -> %0 -> %h}}
  // expected-note@+1 {{%h uses %0 here}}
  %h = rnn.scatter_add %h1, %i sum_to <static> : (tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  rnn.output %h : tensor<2xf32>
}

// -----

rnn.step @gradient train of @n (%x: tensor<f32>) -> () {
  // expected-error@+2 {{'rnn.sum_frames' op sums over frames on a cycle: %0 -> %g -> %1 -> %2 -> %0}}
  // expected-note@+1 {{%0 uses %2 here}}
  %loss = rnn.sum_frames %h : tensor<f32>
  // expected-note@+1 {{%1 uses %g here}}
  %g1 = rnn.delay %g by 1 : tensor<f32>
  // expected-note@+1 {{%2 uses %1 here}}
  %h = arith.addf %x, %g1 : tensor<f32>
  // expected-note@+1 {{%g uses %0 here}}
  %g = rnn.gradient %loss wrt(%x) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  rnn.output
}

// -----

// A gradient alone is one, too, before it is written out.
rnn.step @alone train of @n (%x: tensor<f32> {rnn.rate = "static"}) -> () {
  // expected-error@+2 {{'rnn.gradient' op sums over frames on a cycle: %g -> %1 -> %g}}
  // expected-note@+1 {{%g uses %1 here}}
  %g = rnn.gradient %x wrt(%g1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // expected-note@+1 {{%1 uses %g here}}
  %g1 = rnn.delay %g by 1 : tensor<f32>
  rnn.output
}

// -----

// A cell counts with what it reads of itself, whichever way.
rnn.parameter @w : tensor<3x3xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<3xf32> init(#rnn.zeros)
// expected-error@+1 {{cycle mixes positive and negative delays: %h -> %0 -> %1 -> %h}}
rnn.network @back(%x: tensor<3xf32>) -> (h: tensor<3xf32>) {
  // expected-note@+1 {{delayed by 1 here}}
  %h1 = rnn.delay %h by 1 : tensor<3xf32>
  %in = arith.addf %h1, %x : tensor<3xf32>
  // expected-note@+1 {{the state of this cell is delayed by -1}}
  %h = rnn.elman "back" %in wx(@w) wh(@w) b(@b) reverse : tensor<3xf32> -> tensor<3xf32>
  rnn.output %h : tensor<3xf32>
}

// -----

rnn.parameter @w : tensor<3x3xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<3xf32> init(#rnn.zeros)
// expected-error@+1 {{cycle mixes positive and negative delays: %h -> %0 -> %h}}
rnn.network @forth(%x: tensor<3xf32>) -> (h: tensor<3xf32>) {
  // expected-note@+1 {{delayed by -2 here}}
  %h2 = rnn.delay %h by -2 init(%x) : tensor<3xf32>
  // expected-note@+1 {{the state of this cell is delayed by 1}}
  %h = rnn.elman "forth" %h2 wx(@w) wh(@w) b(@b) : tensor<3xf32> -> tensor<3xf32>
  rnn.output %h : tensor<3xf32>
}
