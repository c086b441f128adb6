// RUN: rnn-translate --rnn-to-c-header %s -o %t.h && FileCheck %s < %t.h
// RUN: rnn-translate --rnn-to-c-header %s | cmp - %t.h
// RUN: rnn-opt %s -rnn-to-gradient | not rnn-translate --rnn-to-c-header 2>&1 | FileCheck %s --check-prefix=LEVEL

// The hash is the artifact's, and leaves out how the network is trained, its spelling and its place.
// RUN: rnn-compile %s --describe > %t.json
// RUN: grep -o "_HASH \"[0-9a-f]*" %t.h | sort -u | cut -d'"' -f2 > %t.hash
// RUN: wc -l < %t.hash | FileCheck %s --check-prefix=ONE
// RUN: %python -c "import json, sys; print(json.load(sys.stdin)['network_hash'])" < %t.json | cmp - %t.hash
// RUN: sed -e "s/lr = 0.5/lr = 0.25/" -e "s/window = 8/window = 4/" -e "s/%%h1/%%before/" %s | rnn-translate --rnn-to-c-header | grep -o "_HASH \"[0-9a-f]*" | sort -u | cut -d'"' -f2 | cmp - %t.hash
// RUN: sed -e "s/by 2/by 3/" %s | rnn-translate --rnn-to-c-header | grep -o "_HASH \"[0-9a-f]*" | sort -u | cut -d'"' -f2 | not cmp - %t.hash

// ONE: {{^}}1{{$}}
// LEVEL: error: expected a module that has not passed the level 'graph', but got "gradient"

// CHECK:      #ifndef RNN_NET_H
// CHECK-NEXT: #define RNN_NET_H
// CHECK:      #define RNN_NET_HASH "{{[0-9a-f]+}}"
// CHECK-NEXT: #define RNN_NET_FUNCTIONS 3
// CHECK-NEXT: static const char *const rnn_net_functions[] = {"net", "step", "step.eval", 0};

// CHECK:      /* net: infer */
// CHECK-NEXT: #define RNN_NET_ARGUMENTS 1
// CHECK-NEXT: static const char *const rnn_net_arguments[] = {"x", 0};
// CHECK-NEXT: #define RNN_NET_PARAMETERS 1
// CHECK-NEXT: static const char *const rnn_net_parameters[] = {"l0.w", 0};
// CHECK-NEXT: #define RNN_NET_OPTIMIZER 0
// CHECK-NEXT: static const char *const rnn_net_optimizer[] = {0};
// CHECK-NEXT: #define RNN_NET_STATES 3
// CHECK-NEXT: static const char *const rnn_net_states[] = {"state.h", "state.age", "state.frame", 0};
// CHECK:      static const char *const rnn_net_results[] = {"h", 0};
// CHECK-NEXT: #define RNN_NET_X_SIZE 4 /* [T,B,4] f32 */
// CHECK-NEXT: #define RNN_NET_L0_W_SIZE 4 /* [4] f32 */
// CHECK-NEXT: #define RNN_NET_STATE_H_SIZE 8 /* [2,B,4] f32 */
// CHECK-NEXT: #define RNN_NET_STATE_AGE_SIZE 1 /* [B] i64 */

// CHECK:      /* step: train */
// CHECK-NEXT: #define RNN_NET_STEP_WINDOW 8
// CHECK-NEXT: #define RNN_NET_STEP_ADVANCE 4
// CHECK-NEXT: #define RNN_NET_STEP_ARGUMENTS 3
// CHECK-NEXT: static const char *const rnn_net_step_arguments[] = {"x", "mask", "lr", 0};
// CHECK:      /* step.eval: eval */
// CHECK-NEXT: #define RNN_NET_STEP_EVAL_ARGUMENTS 2
// CHECK:      #endif /* RNN_NET_H */
rnn.parameter @l0.w : tensor<4xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>, e: tensor<f32>) {
  %h1 = rnn.delay %h by 2 : tensor<4xf32>
  %w = rnn.param @l0.w : tensor<4xf32>
  %a = arith.mulf %w, %h1 : tensor<4xf32>
  %h = arith.addf %x, %a : tensor<4xf32>
  %e = rnn.reduce sum %h over [0] : tensor<4xf32> to tensor<f32>
  rnn.output %h, %e : tensor<4xf32>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.5>) bptt<window = 8, advance = 4>

// Names that C cannot tell apart get numbers; a private network is nobody's function.
// CHECK:      #ifndef RNN_A_B_H
// CHECK:      static const char *const rnn_a_b_arguments[] = {"p.q", "p_q", 0};
// CHECK:      #define RNN_A_B_P_Q_SIZE 1
// CHECK-NEXT: #define RNN_A_B_P_Q_SIZE_2 2
// CHECK-NOT:  RNN_HIDDEN
rnn.network @a.b(%p.q: tensor<1xf32>, %p_q: tensor<2xf32>) -> (r: tensor<2xf32>) {
  rnn.output %p_q : tensor<2xf32>
}
rnn.network @hidden(%x: tensor<f32>) -> (y: tensor<f32>) attributes {sym_visibility = "private"} {
  rnn.output %x : tensor<f32>
}
