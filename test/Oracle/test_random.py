# ===- test_random.py - Random numbers on every target ------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Rule N1: draws are Philox4x32-10 of (id, seed, unit, stream, frame), whatever computes them and however often it is
called. The numbers are computed here once more, the normal ones with scipy's quantile.
"""

import hashlib
import subprocess

import numpy as np
import pytest
from scipy.special import ndtri

NETWORK = """
rnn.network @net(%x: tensor<f32>) -> (u: tensor<2x3xf32>, n: tensor<5xf64>, s: tensor<3xf32> {rnn.rate = "static"},
                                      b: tensor<2xf32> {rnn.rate = "stream"}, y: tensor<f32>) {
  %u = rnn.random uniform <frame> id 5 : tensor<2x3xf32>
  %n = rnn.random normal <frame> id 9 : tensor<5xf64>
  %s = rnn.random normal <static> id 1 : tensor<3xf32>
  %b = rnn.random uniform <stream> id 2 : tensor<2xf32>
  rnn.output %u, %n, %s, %b, %x : tensor<2x3xf32>, tensor<5xf64>, tensor<3xf32>, tensor<2xf32>, tensor<f32>
}
"""
SEED, FRAMES, STREAMS = 12345678901, 7, 3


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def draw(number, unit, stream, time):
    """The 24 bits of one draw."""
    key = philox((number, 0, 0, int.from_bytes(b"RNN1", "little")), (SEED & 0xFFFFFFFF, SEED >> 32))[:2]
    return philox((unit >> 2, stream, time & 0xFFFFFFFF, time >> 32), key)[unit & 3] >> 8


def draws(number, shape, streams, times):
    size = int(np.prod(shape))
    return np.array([[[draw(number, u, b, t) for u in range(size)] for b in streams] for t in times]).reshape(
        len(times), len(streams), *shape)


@pytest.fixture(scope="module")
def files(tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    (folder / "net.mlir").write_text(NETWORK)
    subprocess.run([tool("rnn-compile"), folder / "net.mlir", "-o", folder / "net.rnnc", f"--streams={STREAMS}",
                    "--target=cpu", "--target=emulator", "--target=interpreter"], check=True)
    return folder


def run(tool, files, target, frames, threads=1, state=None):
    np.savez(files / "in.npz", x=np.zeros((frames, STREAMS), np.float32), **(state or {}))
    subprocess.run([tool("rnn-run"), files / "net.rnnc", f"--input={files / 'in.npz'}", f"--output={files / 'out.npz'}",
                    f"--seed={SEED}", f"--target={target}", f"--threads={threads}"], check=True)
    with np.load(files / "out.npz") as out:
        return dict(out)


@pytest.mark.parametrize("target, threads", [("interpreter", 1), ("cpu", 1), ("cpu", 2), ("emulator", 1)])
def test_draws(tool, files, target, threads):
    whole = run(tool, files, target, FRAMES, threads)
    np.testing.assert_array_equal(whole["u"], draws(5, (2, 3), range(STREAMS), range(FRAMES)) * 2.0**-24)
    np.testing.assert_allclose(whole["n"], ndtri((draws(9, (5,), range(STREAMS), range(FRAMES)) + 0.5) * 2.0**-24),
                               rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(whole["s"], ndtri((draws(1, (3,), [0], [0])[0, 0] + 0.5) * 2.0**-24), rtol=2e-7)
    np.testing.assert_array_equal(whole["b"], draws(2, (2,), range(STREAMS), [0])[0] * 2.0**-24)
    # Two calls draw what one does.
    first = run(tool, files, target, 3, threads)
    second = run(tool, files, target, FRAMES - 3, threads, {"state.frame": first["state.frame"]})
    for name in ("u", "n"):
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), whole[name])


def test_targets_agree_bit_for_bit(tool, files):
    digest = lambda out: hashlib.sha256(b"".join(out[k].tobytes() for k in ("u", "n", "s", "b"))).hexdigest()
    want = digest(run(tool, files, "interpreter", FRAMES))
    assert [digest(run(tool, files, target, FRAMES)) for target in ("cpu", "emulator")] == [want, want]
