# ===- test_runtime.py - Artifacts in Python ------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The package on a hand-made artifact; the runtime's random numbers against an independent implementation."""

import gc
import hashlib
import os
import pathlib
import statistics
import sys

import pytest

np = pytest.importorskip("numpy")
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import handmade  # noqa: E402

if not (pathlib.Path(os.environ["RNN_TEST_BUILD"]) / "lib" / "librnn-runtime.so").exists():
    pytest.skip("librnn-runtime.so is not built", allow_module_level=True)
import rnn_mlir as rnn  # noqa: E402


@pytest.fixture(scope="session")
def code(tmp_path_factory):
    found = handmade.compile_functions(tmp_path_factory.mktemp("code"))
    if found is None:
        pytest.skip("no C compiler")
    return found


@pytest.fixture
def artifact(code):
    return handmade.pack(code, handmade.tables())


@pytest.fixture
def program(artifact):
    return rnn.Program(artifact, threads=2)


def make_input(frames):
    return np.sin(np.arange(frames * 12, dtype=np.float32) * 0.7).astype(np.float32).reshape(frames, 3, 4)


# ===- Calls ----------------------------------------------------------------===#


def test_describes_functions(program):
    assert list(program.functions) == ["acc", "step"]
    x, mask, *_ = program.functions["acc"]
    assert x == ("x", True, False, np.dtype("f4"), (-1, 3, 4))
    assert mask.dtype == np.dtype(bool)
    assert list(program.params) == ["w"]
    assert list(program.state) == ["h", "age"]


def test_computes_and_carries_state(program):
    x, w = make_input(5), program.params["w"].copy()
    results = program.run("acc", x=x)
    expected = np.cumsum(np.float32(2) * w * x, axis=0, dtype=np.float32)
    np.testing.assert_array_equal(results["y"].numpy(), expected)
    np.testing.assert_allclose(float(results["total"]), expected.sum(dtype=np.float64), rtol=1e-12)
    np.testing.assert_array_equal(program.state["h"][0], expected[-1])
    again = program.run("acc", x=x[:1], gain=np.float32(0))
    np.testing.assert_array_equal(again["y"][0], expected[-1])


def test_state_is_read_and_written(program):
    program.run("acc", x=make_input(2))
    program.state["h"] = np.full((1, 3, 4), 7, np.float32)
    view = program.state["h"]
    view[0, 1, 2] = 9  # a view is the stored value
    y = program.run("acc", x=np.zeros((1, 3, 4), np.float32))["y"]
    assert y[0, 0, 0] == 7 and y[0, 1, 2] == 9
    program.reset([1])
    assert program.state["age"].tolist() == [2, -1, 2]
    program.reset()
    assert program.state["age"].tolist() == [-1, -1, -1]
    with pytest.raises(rnn.ShapeError, match="stream 3 is out of range"):
        program.reset([3])
    with pytest.raises(KeyError):
        program.state["c"]


def test_views_keep_the_program(artifact):
    view = rnn.Program(artifact).params["w"]
    gc.collect()
    assert np.isfinite(view.sum())


def test_step_changes_parameters(program):
    w = program.params["w"].copy()
    results = program.run("step", x=np.ones((2, 3), np.int32), lr=0.5)
    np.testing.assert_array_equal(program.params["w"], w + np.float32(3))
    assert float(results["loss"]) == pytest.approx(program.params["w"].sum(), rel=1e-6)
    assert program.tensors["opt.step"] == 1
    assert results["used"].numpy().tolist() == [100, 0]


def test_arrays_are_not_converted_but_for_integers(program):
    with pytest.raises(rnn.DTypeError) as error:
        program.run("acc", x=make_input(2).astype(np.float64))
    assert isinstance(error.value, TypeError)
    assert str(error.value).endswith("is f64 [2,3,4], expected f32 [T,3,4]")  # no note on options of the tools
    for dtype in (np.int8, np.uint8, np.int64, np.uint64):
        program.run("step", x=np.ones((1, 3), dtype))
    with pytest.raises(rnn.DTypeError, match="cannot hold"):
        program.run("step", x=np.full((1, 3), 2**40))
    with pytest.raises(rnn.DTypeError, match="expected an array, got list"):
        program.run("acc", x=[[1.0]])


def test_strided_arrays_are_copied_and_counted(program):
    x = make_input(4)
    program.run("acc", x=x)
    assert program.copied_bytes == 0
    first = program.run("acc", x=np.zeros((1, 3, 4), np.float32))["y"].numpy()
    program.reset()
    program.run("acc", x=np.asfortranarray(x))
    assert program.copied_bytes == x.nbytes
    np.testing.assert_array_equal(program.run("acc", x=np.zeros((1, 3, 4), np.float32))["y"].numpy(), first)


def test_dlpack_in_and_out(program):

    class Producer:
        """Knows nothing but DLPack."""

        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__()

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    y = program.run("acc", x=Producer(make_input(2)))["y"]
    np.testing.assert_array_equal(np.from_dlpack(y), y.numpy())


# ===- Errors ---------------------------------------------------------------===#


def test_errors_have_their_classes(program, artifact, tmp_path):
    with pytest.raises(rnn.FileError, match="no input for 'x' of 'acc'") as error:
        program.run("acc")
    assert error.value.diagnostics[0].notes == ("given: nothing",)
    assert isinstance(error.value, ValueError)
    with pytest.raises(rnn.FileError, match="did you mean 'gain'"):
        program.run("acc", x=make_input(1), gian=1.0)
    with pytest.raises(rnn.ShapeError, match="input 'x' has 0 frames; at least 1 is required"):
        program.run("acc", x=make_input(0))
    with pytest.raises(rnn.ShapeError, match="recompile with --streams=8"):
        program.run("acc", x=np.zeros((1, 8, 4), np.float32))
    with pytest.raises(rnn.ShapeError, match="'step' takes at most 4 frames a call, but 'x' has 5"):
        program.run("step", x=np.zeros((5, 3), np.int32))
    with pytest.raises(rnn.FileError, match="No such file"):
        rnn.load(tmp_path / "none.rnnc")
    with pytest.raises(rnn.FileError, match="hash does not match"):
        rnn.Program(artifact[:-1] + b"!")
    with pytest.raises(rnn.FileError, match="the file has 5000"):
        rnn.Program(artifact[:5000])
    with pytest.raises(rnn.DeviceError, match="has no code for 'interpreter'"):
        rnn.Program(artifact, target="interpreter")
    with pytest.raises(rnn.FileError, match="several functions"):
        program.run(program.main)


def test_missing_cpu_features(code):
    tables = handmade.tables()
    tables["requires"] = ["sse2", "avx99"]
    with pytest.raises(rnn.DeviceError, match="needs avx99, which this CPU lacks"):
        rnn.Program(handmade.pack(code, tables))


# ===- Files ----------------------------------------------------------------===#


def test_checkpoints(artifact, tmp_path):
    path = tmp_path / "m.rnnc"
    path.write_bytes(artifact)
    first, second = rnn.load(path), rnn.load(path, seed=1)
    first.run("step", x=np.ones((3, 3), np.int32))
    first.run("acc", x=make_input(3))
    checkpoint = tmp_path / "last.safetensors"
    first.save(checkpoint)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.safetensors", "m.rnnc"]
    second.load(checkpoint)
    for name, value in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[name], value, err_msg=name)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-8])
    with pytest.raises(rnn.FileError, match="is truncated|is not a safetensors file"):
        second.load(checkpoint)


def test_checkpoints_have_the_format_of_their_name(program, tmp_path):
    program.run("acc", x=make_input(1))
    program.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        np.testing.assert_array_equal(file["state.h"], program.state["h"])
    program.load(tmp_path / "a.npz")
    with pytest.raises(rnn.FileError, match="'.*/a' has unknown extension; expected .npz or .safetensors"):
        program.save(tmp_path / "a")


def test_checkpoint_is_ordinary_safetensors(program, tmp_path):
    safetensors = pytest.importorskip("safetensors")
    program.run("acc", x=make_input(1))
    program.save(tmp_path / "a.safetensors")
    with safetensors.safe_open(tmp_path / "a.safetensors", "numpy") as file:
        assert sorted(file.keys()) == ["opt.step", "seed", "state.age", "state.h", "w"]
        np.testing.assert_array_equal(file.get_tensor("state.h"), program.state["h"])
        assert file.metadata()["rnn.format"] == "1"
        assert file.metadata()["rnn.network_hash"] == handmade.HASH


# ===- Initial values against another implementation ------------------------===#


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words(name, seed, count):
    identity = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    key = philox([identity, 0, 0, int.from_bytes(b"RNN1", "little")], [seed & 0xFFFFFFFF, seed >> 32])[:2]
    return [philox([i >> 2, 0, 0, 0], key)[i & 3] for i in range(count)]


def normals(name, seed, count):
    quantile = statistics.NormalDist().inv_cdf
    return np.array([quantile(((word >> 8) + 0.5) / 2**24) for word in words(name, seed, count)])


@pytest.fixture
def draw(code):
    """draw(init, shape, seed): the parameter 'l0.w' of a program."""

    def of(init, shape, seed=0, dtype="f32"):
        tables = handmade.tables()
        tables["variables"].append(handmade.variable("l0.w", shape, init, dtype))
        # A tensor is known to Python by being in a function's table.
        tables["functions"][1]["tensors"].append(handmade.tensor("l0.w", "parameter", dtype, shape))
        return rnn.Program(handmade.pack(code, tables), seed=seed).params["l0.w"]

    return of


def test_uniform(draw):
    seed = 0x123456789ABCDEF0
    u = np.array([(word >> 8) / 2**24 for word in words("l0.w", seed, 12)])
    np.testing.assert_array_equal(draw({"kind": "uniform"}, [3, 4], seed).ravel(), (-0.5 + u).astype(np.float32))
    np.testing.assert_array_equal(
        draw({"kind": "uniform", "low": -1, "high": 3}, [12], seed, "f64"), -1 + 4 * u)


def test_normal(draw):
    expected = 1 + 0.5 * normals("l0.w", 3, 1000)
    drawn = draw({"kind": "normal", "mean": 1, "std": 0.5}, [10, 100], 3, "f64").ravel()
    np.testing.assert_allclose(drawn, expected, rtol=1e-14, atol=1e-14)
    rounded = draw({"kind": "normal", "mean": 1, "std": 0.5, "precision": "f32"}, [10, 100], 3, "f64").ravel()
    np.testing.assert_array_equal(rounded, drawn.astype(np.float32).astype(np.float64))


@pytest.mark.parametrize("shape, blocks", [([8, 8], 1), ([32, 8], 4), ([20, 6], 1), ([6, 20], 1), ([2, 3, 4], 1)])
def test_orthogonal(draw, shape, blocks):
    drawn = draw({"kind": "orthogonal", "gain": 1.25, "blocks": blocks}, shape, 9, "f64")
    a = normals("l0.w", 9, drawn.size).reshape(blocks, -1, shape[-1])
    for block, values in zip(drawn.reshape(a.shape), a):
        tall = values if values.shape[0] >= values.shape[1] else values.T
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))
        np.testing.assert_allclose(block, 1.25 * (q if tall is values else q.T), atol=1e-13)


def test_adding_a_parameter_moves_no_other(artifact, draw):
    alone = rnn.Program(artifact).params["w"]
    u = np.array([(word >> 8) / 2**24 for word in words("w", 0, 4)])
    np.testing.assert_array_equal(alone, (-0.5 + u).astype(np.float32))


# ===- Threads --------------------------------------------------------------===#


def test_same_bits_for_any_number_of_threads(artifact):
    outputs = []
    for threads in (1, 2, 3):
        program = rnn.Program(artifact, threads=threads)
        for _ in range(10):
            outputs.append(program.run("acc", x=make_input(7))["y"].numpy().tobytes())
    assert outputs[:10] == outputs[10:20] == outputs[20:]
