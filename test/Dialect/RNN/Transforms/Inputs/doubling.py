"""doubling.py <n>: networks @f0 to @f<n>; @f0 has two ops, every other one calls the one before twice."""

import sys

print("""rnn.network @f0(%x: tensor<f32>) -> (y: tensor<f32>) {
  %a = arith.negf %x : tensor<f32>
  %y = arith.negf %a : tensor<f32>
  rnn.output %y : tensor<f32>
}""")
for i in range(1, int(sys.argv[1]) + 1):
    print(f"""rnn.network @f{i}(%x: tensor<f32>) -> (y: tensor<f32>) {{
  %a = rnn.call "a" @f{i - 1}(%x) : (tensor<f32>) -> tensor<f32>
  %y = rnn.call "b" @f{i - 1}(%a) : (tensor<f32>) -> tensor<f32>
  rnn.output %y : tensor<f32>
}}""")
