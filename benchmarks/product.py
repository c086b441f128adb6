# ===- product.py - How fast the generated products are -------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   product.py [--target=cpu:x86-64-v3,cpu:x86-64-v4] [--threads=1] [--seconds=0.5] [--matmul-precision=f32]
#              [--json=<file>]
#
# A network of one product, run for 512 frames of 16 streams: rows x depth x columns multiply-adds a call. The best time
# counts, which on a busy machine is the one nearest the truth; packing the weight and copying the result are in it.
#
# ===-------------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.setdefault("RNN_TEST_BUILD", str(ROOT / "build")))
sys.path.insert(0, str(ROOT / "python"))
FRAMES, STREAMS = 512, 16
SHAPES = [(64, 64), (128, 128), (128, 512), (256, 256), (512, 512), (100, 37)]  # depth, columns

NETWORK = """
rnn.parameter @w : tensor<{columns}x{depth}xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<{depth}xf32>) -> (y: tensor<{columns}xf32>) {{
  %w = rnn.param @w : tensor<{columns}x{depth}xf32>
  %y = rnn.linear %x, %w : (tensor<{depth}xf32>, tensor<{columns}x{depth}xf32>) -> tensor<{columns}xf32>
  rnn.output %y : tensor<{columns}xf32>
}}
"""


def round_to_bf16(x):
    """The nearest bf16, ties to even, of finite f32."""
    bits = x.view(np.uint32)
    return ((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000).view(np.float32)


def load(folder, shape, target, threads, precision):
    import rnn_mlir
    depth, columns = shape
    source = folder / "net.mlir"
    source.write_text(NETWORK.format(depth=depth, columns=columns))
    artifact = folder / f"{depth}-{columns}.rnnc"
    subprocess.run([BUILD / "bin" / "rnn-compile", source, "-o", artifact, f"--target={target}", f"--streams={STREAMS}",
                    f"--matmul-precision={precision}"], check=True)
    program = rnn_mlir.load(artifact, threads=threads)
    x = np.random.default_rng(0).normal(size=(FRAMES, STREAMS, depth)).astype(np.float32)
    w = np.array(program.params["w"])
    want = round_to_bf16(x) @ round_to_bf16(w).T if precision == "bf16" else x @ w.T
    np.testing.assert_allclose(program.run("net", x=x)["y"].numpy(), want, rtol=0, atol=1e-4)
    return lambda: program.run("net", x=x)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu:x86-64-v3,cpu:x86-64-v4")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--matmul-precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--json")
    options = parser.parse_args()
    results, precision = [], options.matmul_precision
    with tempfile.TemporaryDirectory() as folder:
        for target in options.target.split(","):
            for shape in SHAPES:
                call, best, end = load(pathlib.Path(folder), shape, target, options.threads, precision), 1e9, 0
                while end < options.seconds:
                    begin = time.perf_counter()
                    call()
                    took = time.perf_counter() - begin
                    best, end = min(best, took), end + took
                rate = 2e-9 * FRAMES * STREAMS * shape[0] * shape[1] / best
                results.append({"target": target, "depth": shape[0], "columns": shape[1], "threads": options.threads,
                                "matmul_precision": precision, "gflops": round(rate, 1)})
                print(f"{target}  {FRAMES * STREAMS} x {shape[0]} x {shape[1]}: {rate:.1f} GFLOP/s", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
