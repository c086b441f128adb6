# ===- catalogue_models.py - Small networks that are wrong ----------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""MODELS: texts by name. All but `step`, `other` and `renamed` have one mistake, or are more than a machine holds."""


def network(body, arguments="%x: tensor<f32>", results="y: tensor<f32>", head=""):
    return f"{head}\nrnn.network @n({arguments}) -> ({results}) {{\n{body}\n}}\n"


def identity(*arguments, **options):
    return network("rnn.output %x : tensor<4xf32>", *arguments, **options)


def parameter(name, kind, count=1):
    return f"rnn.parameter @{name} : {kind} init(#rnn.zeros) " * count


def region(op, kind):
    """A schedule with one op, as a pass of the schedule could have left it."""
    return (f"rnn.schedule @s infer of @n streams 2 (%x: tensor<?x2x{kind}>) -> (h: tensor<?x2x{kind}>) {{\n"
            f"%h = rnn.parallel chunk ins(%x as %x0 frame) : (tensor<?x2x{kind}>) -> tensor<?x2x{kind}> {{\n{op}\n"
            f"rnn.yield %y : tensor<{kind}>\n}}\nrnn.return %h : tensor<?x2x{kind}>\n}}\n")


STEP = """
rnn.parameter @wx : tensor<KIND> init(#rnn.constant<0.1>)
rnn.network @net(%x: tensor<KIND>, %target: tensor<KIND>) -> (y: tensor<KIND>, e: tensor<f32>) {
  %w = rnn.param @wx : tensor<KIND>
  %y = arith.mulf %w, %x : tensor<KIND>
  %d = arith.subf %y, %target : tensor<KIND>
  %f = arith.mulf %d, %d : tensor<KIND>
  SUM
  rnn.output %y, %e : tensor<KIND>, tensor<f32>
}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = 0.1>) bptt<window = 2, advance = 2>
"""
HUGE, LARGE = "1099511627776xf32", "16777216xf32"

MODELS = {
    "cycle": network("%g = arith.addf %x, %h : tensor<f32>\n%h = math.tanh %g : tensor<f32>\n"
                     "rnn.output %h : tensor<f32>"),
    "mixed": network("%b = rnn.delay %a by 2 : tensor<f32>\n%a = rnn.delay %b by -1 : tensor<f32>\n"
                     "rnn.output %a : tensor<f32>"),
    "by0": network("%y = rnn.delay %x by 0 : tensor<f32>\nrnn.output %y : tensor<f32>"),
    "far": network("%y = rnn.delay %x by 2097152 : tensor<f32>\nrnn.output %y : tensor<f32>"),
    "shapes": network("%w = rnn.param @w : tensor<1024x256xf32>\n"
                      "%y = rnn.linear %x, %w : (tensor<128xf32>, tensor<1024x256xf32>) -> tensor<1024xf32>\n"
                      "rnn.output %y : tensor<1024xf32>", "%x: tensor<128xf32>", "y: tensor<1024xf32>",
                      parameter("w", "tensor<1024x256xf32>")),
    "unknown": network("%y = rnn.param @wq : tensor<f32>\nrnn.output %y : tensor<f32>",
                       head=parameter("wx", "tensor<f32>")),
    "twice": parameter("wx", "tensor<f32>") + "\n" + parameter("wx", "tensor<f32>"),
    "clash": identity("%x: tensor<4xf32>", "y: tensor<4xf32>", head=parameter("x", "tensor<4xf32>")).replace(
        "rnn.output", "%p = rnn.param @x : tensor<4xf32>\nrnn.output"),
    "reserved": identity("%x: tensor<4xf32>", "loss: tensor<4xf32>"),
    "init": network('%y = "rnn.delay"(%x, %i) <{by = 1 : i64}> '
                    ': (tensor<256xf32>, tensor<128xf32>) -> tensor<256xf32>\n'
                    "rnn.output %y : tensor<256xf32>",
                    "%x: tensor<256xf32>, %i: tensor<128xf32>", "y: tensor<256xf32>"),
    "half": network("rnn.output %x : tensor<4xf16>", "%x: tensor<4xf16>", "y: tensor<4xf16>"),
    "loop": network('%y = "scf.for"(%c, %c, %c, %x) ({\n^bb0(%i: index, %z: tensor<f32>):\nscf.yield %z : tensor<f32>\n'
                    "}) : (index, index, index, tensor<f32>) -> tensor<f32>\n%c = arith.constant 1 : index\n"
                    "rnn.output %y : tensor<f32>"),
    "rule": """rnn.parameter @wx : tensor<2xf32> init(#rnn.zeros)
rnn.step @s train of @n (%x: tensor<i32>) -> (loss: tensor<f32> {rnn.rate = "static"},
  g: tensor<2xf32> {rnn.rate = "static"}) {
%w = rnn.param @wx : tensor<2xf32>
%y = rnn.softmax_cross_entropy %w, %x : (tensor<2xf32>, tensor<i32>) -> tensor<f32>
%loss = rnn.sum_frames %y : tensor<f32>
%g = rnn.gradient %loss wrt(%w) : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
rnn.output %loss, %g : tensor<f32>, tensor<2xf32>
}""",
    "extended": region("%y, %c = arith.addui_extended %x0, %x0 : tensor<4xi32>, tensor<4xi1>", "4xi32"),
    "bitcast": region("%i = tensor.bitcast %x0 : tensor<4xf32> to tensor<4xi32>\n"
                      "%y = tensor.bitcast %i : tensor<4xi32> to tensor<4xf32>", "4xf32"),
    "activations": network(f"%b = rnn.broadcast %x along [0] : tensor<f32> to tensor<{LARGE}>\n"
                           f"%e = math.exp %b : tensor<{LARGE}>\n"
                           f"%y = rnn.reduce sum %e over [0] : tensor<{LARGE}> to tensor<f32>\n"
                           "rnn.output %y : tensor<f32>"),
    "workspace": network("%w = rnn.param @w : tensor<f32>\n"
                         f"%b = rnn.broadcast %w along [0] : tensor<f32> to tensor<{HUGE}>\n"
                         f"%e = math.exp %b : tensor<{HUGE}>\n"
                         f"%s = rnn.reduce sum %e over [0] : tensor<{HUGE}> to tensor<f32>\n"
                         "%y = arith.mulf %s, %x : tensor<f32>\nrnn.output %y : tensor<f32>",
                         head=parameter("w", "tensor<f32>")),
    "parameter": network(f"%w = rnn.param @w : tensor<{HUGE}>\n"
                         f"%s = rnn.reduce sum %w over [0] : tensor<{HUGE}> to tensor<f32>\n"
                         "%y = arith.mulf %s, %x : tensor<f32>\nrnn.output %y : tensor<f32>",
                         head=parameter("w", f"tensor<{HUGE}>")),
    "deep": "[" * 1000,
    "elements": parameter("w", "tensor<4294967296x4294967296xf32>"),
    "step": STEP.replace("KIND", "f32").replace("SUM", "%e = arith.addf %f, %f : tensor<f32>"),
    "other": STEP.replace("KIND", "3xf32").replace("SUM",
                                                   "%e = rnn.reduce sum %f over [0] : tensor<3xf32> to tensor<f32>"),
}
MODELS["renamed"] = MODELS["step"].replace("@wx", "@wy")
