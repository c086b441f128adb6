# ===- test_run.py - rnn-run ----------------------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
import json
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest

import tiny_models

W = np.array([[2, -1]], np.float32)
BIAS = np.array([0.5], np.float32)


@pytest.fixture
def files(tools):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(10, 2, 2)).astype(np.float32)
    target = (x @ W.T + BIAS).astype(np.float32)
    np.savez(tools.work / "x.npz", x=x)
    np.savez(tools.work / "target.npz", target=target)
    np.savez_compressed(tools.work / "p.npz", w=W, b=BIAS)
    return x, target


def run(tools, *arguments, check=0):
    return tools.run("rnn-run", *arguments, check=check)


def test_network(tools, linear, files):
    x, target = files
    run(tools, linear, "--function=linear", "--input=x.npz", "--input=p.npz", "--output=y.npz")
    out = np.load(tools.work / "y.npz")
    assert sorted(out.files) == ["state.age", "state.total", "total", "y"]
    np.testing.assert_allclose(out["y"], target, atol=1e-6)
    np.testing.assert_allclose(out["total"], np.cumsum(x[..., 0], 0), atol=1e-5)
    assert out["state.age"].tolist() == [9, 9]


def test_state_goes_on(tools, linear, files):
    x, _ = files
    np.savez(tools.work / "a.npz", x=x[:6])
    np.savez(tools.work / "b.npz", x=x[6:])
    run(tools, linear, "--function=linear", "--input=x.npz", "--input=p.npz", "--output=whole.safetensors")
    run(tools, linear, "--function=linear", "--input=a.npz", "--input=p.npz", "--output=s.npz", "--outputs=state.*")
    run(tools, linear, "--function=linear", "--input=b.npz", "--input=p.npz", "--input=s.npz", "--output=y.npz")
    np.testing.assert_allclose(np.load(tools.work / "y.npz")["total"], np.cumsum(x[..., 0], 0)[6:], atol=1e-5)
    # --reset-state forgets; state without an age is fully known.
    run(tools, linear, "--function=linear", "--input=b.npz", "--input=p.npz", "--input=s.npz", "--output=y.npz",
        "--reset-state")
    np.testing.assert_allclose(np.load(tools.work / "y.npz")["total"], np.cumsum(x[6:, :, 0], 0), atol=1e-5)
    np.savez(tools.work / "k.npz", **{"state.total": np.full((1, 2), 100, np.float32)})
    run(tools, linear, "--function=linear", "--input=b.npz", "--input=p.npz", "--input=k.npz", "--output=y.npz")
    np.testing.assert_allclose(np.load(tools.work / "y.npz")["total"], 100 + np.cumsum(x[6:, :, 0], 0), rtol=1e-5)


def test_step_is_cut_to_chunks(tools, linear, files):
    """10 frames in steps of 4: three updates, losses as a list."""
    x, target = files
    zero = {"w": np.zeros((1, 2), np.float32), "b": np.zeros(1, np.float32), "lr": np.float32(0.1)}
    np.savez(tools.work / "z.npz", **zero)
    run(tools, linear, "--input=x.npz", "--input=target.npz", "--input=z.npz", "--output=o.npz")
    out = np.load(tools.work / "o.npz")
    w, b, losses, total = np.zeros((1, 2)), np.zeros(1), [], 0
    for begin in (0, 4, 8):
        xs, ts = x[begin : begin + 4].reshape(-1, 2).astype(float), target[begin : begin + 4].reshape(-1, 1)
        e = xs @ w.T + b - ts
        losses.append((e**2).mean())
        total += (e**2).sum()
        w = w - 0.1 * 2 * (e * xs).mean(0)
        b = b - 0.1 * 2 * e.mean(0)
    np.testing.assert_allclose(out["loss"], losses, rtol=1e-5)
    np.testing.assert_allclose(out["w"], w, rtol=1e-5)
    assert out["grad_norm"].shape == (3,) and out["count.mse"] == 20 and out["flags"] == 0
    assert out["sum.mse"] == pytest.approx(total, rel=1e-5)


def test_table(tools, linear, files):
    done = run(tools, linear, "--function=linear", "--input=x.npz", "--input=p.npz", "--outputs=y,state.age")
    lines = done.out.splitlines()
    assert lines[0].split() == ["name", "dtype", "shape", "min", "max", "mean"]
    assert [line.split()[:3] for line in lines[1:]] == [["state.age", "i64", "[2]"], ["y", "f32", "[10,2,1]"]]


def test_integers_of_any_type(tools, bigram):
    outputs = []
    for dtype in ("i1", "u1", "<i8", "<u2"):
        np.savez(tools.work / "x.npz", x=np.full((3, 4), 65, dtype))
        run(tools, bigram, "--function=bigram", "--input=x.npz", "--output=y.npz")
        outputs.append(np.load(tools.work / "y.npz")["logits"])
    assert all((o == outputs[0]).all() for o in outputs)


def test_cast(tools, linear, files):
    x, target = files
    np.savez(tools.work / "d.npz", x=x.astype(np.float64))
    failed = run(tools, linear, "--function=linear", "--input=d.npz", "--input=p.npz", check=1)
    assert failed.err == ("rnn-run: error: input 'x' of 'linear' is f64 [10,2,2], expected f32 [T,2,2]\n"
                          "note: pass --cast to round it\n")
    run(tools, linear, "--function=linear", "--input=d.npz", "--input=p.npz", "--cast", "--output=y.npz")
    np.testing.assert_allclose(np.load(tools.work / "y.npz")["y"], target, atol=1e-6)


def test_fortran_order(tools, linear, files):
    x, target = files
    np.savez(tools.work / "f.npz", x=np.asfortranarray(x))
    run(tools, linear, "--function=linear", "--input=f.npz", "--input=p.npz", "--output=y.npz")
    np.testing.assert_allclose(np.load(tools.work / "y.npz")["y"], target, atol=1e-6)


def test_expect(tools, linear, files):
    arguments = [linear, "--function=linear", "--input=x.npz", "--input=p.npz", "--expect=e.npz",
                 "--atol=1e-5"]
    x, target = files
    np.savez(tools.work / "e.npz", y=target)
    done = run(tools, *arguments)
    assert re.fullmatch(r"y f32 \[10,2,1\] max-error \S+ budget \S+ at \[\d,\d,0\] ok\n", done.out)
    wrong = target.copy()
    wrong[7, 1, 0] += 1
    wrong[8, 0, 0] += 9
    np.savez(tools.work / "e.npz", y=wrong)
    done = run(tools, *arguments, check=3)
    assert re.search(r"^y f32 \[10,2,1\] max-error 9 budget \S+ at \[8,0,0\] DIFFERS$", done.out, re.M)
    assert re.search(r"^first difference: %y, frame 7, stream 1, unit \[0\]: got \S+, expected \S+$", done.out, re.M)


def test_values_that_are_not_finite_compare_exactly(tools, linear, files):
    x = files[0].copy()
    x[3, 1, 0], x[5, 0, 1] = np.nan, np.inf
    np.savez(tools.work / "n.npz", x=x)
    arguments = [linear, "--function=linear", "--input=n.npz", "--input=p.npz"]
    run(tools, *arguments, "--output=n.safetensors", "--outputs=y")
    run(tools, *arguments, "--output=e.npz", "--outputs=y")
    assert run(tools, *arguments, "--expect=e.npz", "--rtol=1e-5").out.endswith(" ok\n")
    y = np.load(tools.work / "e.npz")["y"].copy()
    assert np.isnan(y[3, 1, 0]) and np.isinf(y[5, 0, 0])
    y[5, 0, 0] *= -1
    np.savez(tools.work / "e.npz", y=y)
    done = run(tools, *arguments, "--expect=e.npz", "--rtol=1e-5", check=3)
    assert "first difference: %y, frame 5, stream 0" in done.out
    y[5, 0, 0], y[0, 0, 0] = -y[5, 0, 0], np.inf
    np.savez(tools.work / "e.npz", y=y)
    done = run(tools, *arguments, "--expect=e.npz", "--rtol=1e-5", check=3)
    assert "first difference: %y, frame 0, stream 0" in done.out


def test_output_through_a_link(tools, linear, files):
    """A link stays a link; what is no file is left alone."""
    arguments = [linear, "--function=linear", "--input=x.npz", "--input=p.npz"]
    for name in ("real.npz", "absent.npz"):
        (tools.work / "link.npz").unlink(missing_ok=True)
        (tools.work / "link.npz").symlink_to(name)
        if name == "real.npz":
            (tools.work / name).write_text("old")
        run(tools, *arguments, "--output=link.npz")
        assert (tools.work / "link.npz").is_symlink() and "y" in np.load(tools.work / name).files
    (tools.work / "null.npz").symlink_to("/dev/null")
    run(tools, *arguments, "--output=null.npz")
    assert (tools.work / "null.npz").is_char_device() and (tools.work / "null.npz").is_symlink()
    (tools.work / "loop.npz").symlink_to("loop.npz")
    assert "cannot write 'loop.npz'" in run(tools, *arguments, "--output=loop.npz", check=1).err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("arguments",
                         [["--help"], ["--version"], ["--describe"], ["--function=linear", "--input=x.npz"]])
def test_lost_output_is_an_error(tools, linear, files, arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([tools.folder / "rnn-run", linear, *arguments], cwd=tools.work, stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "rnn-run: error: cannot write to stdout\n")


def test_closed_standard_streams(tools, linear, files):
    """No file takes the number of a closed stream, the compiler's answers still come through."""
    (tools.work / "m.mlir").write_text("// model: linear\n")
    command = f"'{tools.folder}/rnn-run' m.mlir --function=linear --input=x.npz --output=y.npz <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=tools.work).returncode == 0
    assert "y" in np.load(tools.work / "y.npz").files


def test_sample(tools, bigram, text):
    tools.run("rnn-train", bigram, f"--data={text}", "--lr=10", "--epochs=2", check=0)
    arguments = [bigram, "--input=rnn-out/last.safetensors", "--sample=40"]
    first = tools.run("rnn-run", *arguments, "--prime=the ", "--temperature=0", check=0)
    run_step = tools.run("rnn-run", bigram, "--input=rnn-out/last.safetensors", "--sample=40", "--temperature=0",
                         "--prime=the ", "--seed=5", check=0)
    assert first.out == run_step.out and len(first.out) == 40 and set(first.out) <= set(text.read_text())
    one = tools.run("rnn-run", *arguments, "--seed=1", check=0, binary=True)
    assert one.out == tools.run("rnn-run", *arguments, "--seed=1", check=0, binary=True).out
    assert one.out != tools.run("rnn-run", *arguments, "--seed=2", check=0, binary=True).out and len(one.out) == 40


def test_sample_errors(tools, bigram):
    failed = run(tools, bigram, "--sample=3", "--function=bigra", check=2)
    assert failed.err == f"rnn-run: error: '{bigram}' has no function 'bigra'\nnote: did you mean 'bigram'?\n"
    failed = run(tools, bigram, "--sample=3", "--output=y.npz", check=2)
    assert failed.err == "rnn-run: error: --sample and --output exclude each other\n"


def test_describe(tools, linear):
    shown = json.loads(run(tools, linear, "--describe").out)
    assert shown["streams"] == 2 and [f["name"] for f in shown["functions"]] == ["step", "step.eval", "linear"]
    assert shown["targets"] == ["cpu:x86-64"] and shown["provenance"]["version"] == "0.1.0"


def test_model_text(tools, files):
    x, target = files
    (tools.work / "m.mlir").write_text("// model: linear\n")
    run(tools, "m.mlir", "--function=linear", "--input=x.npz", "--input=p.npz", "--output=y.npz")
    np.testing.assert_allclose(np.load(tools.work / "y.npz")["y"], target, atol=1e-6)
    assert "--streams=2" in tools.compile_calls()[-1]
    np.savez(tools.work / "t3.npz", target=np.zeros((10, 3, 1), np.float32))
    failed = run(tools, "m.mlir", "--input=x.npz", "--input=t3.npz", check=1)
    assert failed.err == "rnn-run: error: input 'target' has 3 streams, but 'x' has 2\n"
    (tools.work / "m.mlir").write_text("broken\n")
    failed = run(tools, "m.mlir", "--input=x.npz", check=1)
    assert failed.err == "m.mlir:1:1: error: 'scf.for' op is not allowed in a network\n"


def test_results_that_do_not_fit(tools, files, tmp_path):
    def widen(tables):
        tables["functions"][2]["tensors"][-2]["shape"][2] = 1 << 38

    model = tiny_models.build(tmp_path / "wide.rnnc", "linear", streams=2, advance=4, window=4, change=widen)
    failed = run(tools, model, "--function=linear", "--input=x.npz", check=5)
    assert re.fullmatch(r"rnn-run: error: needs 20.0 TiB for T=10, 'cpu' has \S+ GiB free\n"
                        r"note: largest: 'y' 20.0 TiB\n", failed.err)


def test_reproducer_stays(tools):
    (tools.work / "m.mlir").write_text("// model: linear, crash\n")
    for tool, arguments in (("rnn-run", ["--function=linear"]), ("rnn-train", ["--data=m.mlir"]),
                            ("rnn-train", ["--data=m.mlir", "--dry-run"])):
        failed = tools.run(tool, "m.mlir", *arguments, check=70)
        reproducer = pathlib.Path(failed.err.split("--run-reproducer ")[1].strip())
        assert reproducer.read_text() == "// model: linear, crash\n"
        shutil.rmtree(reproducer.parent)


def test_non_finite_step(tools, tmp_path):
    model = tiny_models.build(tmp_path / "p.rnnc", poison=7)
    np.savez(tools.work / "x.npz", x=np.full((3, 4), 7), target=np.full((3, 4), 8))
    failed = run(tools, model, "--input=x.npz", "--output=o.npz", check=6)
    assert failed.err == "rnn-run: error: loss is nan for 1 steps, first at step 1\n"
    assert not (tools.work / "o.npz").exists()


def test_input_errors(tools, linear, files):
    x, target = files

    def fails(message, *arguments, code=1):
        failed = run(tools, linear, *arguments, check=code)
        assert failed.err.startswith(f"rnn-run: error: {message}"), failed

    network = "--function=linear"
    fails("no input for 'target' of 'step'\nnote: given: x\n", "--input=x.npz")
    np.savez(tools.work / "x2.npz", x=x)
    fails("'x' is given by both 'x.npz' and 'x2.npz'", network, "--input=x.npz", "--input=x2.npz")
    np.savez(tools.work / "n.npz", wx=W)
    fails("'linear' has no tensor named 'wx'", network, "--input=x.npz", "--input=n.npz")
    np.savez(tools.work / "n.npz", x=x[:0])
    fails("input 'x' has 0 frames; at least 1 is required", network, "--input=n.npz")
    np.savez(tools.work / "n.npz", x=np.zeros((5, 8, 2), np.float32))
    fails(f"input 'x' has 8 streams, but '{linear}' was compiled for 2\nnote: recompile with --streams=8", network,
          "--input=n.npz")
    np.savez(tools.work / "n.npz", x=np.zeros((5, 0, 2), np.float32))
    fails("input 'x' has 0 streams; at least 1 is required", network, "--input=n.npz")
    np.savez(tools.work / "n.npz", x=np.zeros((5, 2, 3), np.float32))
    fails("input 'x' of 'linear' is f32 [5,2,3], expected f32 [T,2,2]", network, "--input=n.npz")
    np.savez(tools.work / "n.npz", target=target[:9])
    fails("'x' has 10 frames, but 'target' has 9", "--input=x.npz", "--input=n.npz")
    np.savez(tools.work / "n.npz", mask=np.full((10, 2), 2))
    fails("input 'mask' of 'step' is i64 [10,2], and a value does not fit i1", "--input=x.npz", "--input=target.npz",
          "--input=n.npz")
    (tools.work / "n.bin").write_bytes(b"")
    fails("'n.bin' has unknown extension; expected .npz or .safetensors", "--input=n.bin")
    fails("cannot read 'none.npz'", "--input=none.npz")
    fails("unknown option '--inptu'\nnote: did you mean '--input'?", "--inptu=x", code=2)
    fails(f"'{linear}' has no function 'liner'\nnote: did you mean 'linear'?", "--function=liner", code=2)
    fails(f"'{linear}' was compiled without gradients\nnote: recompile with --keep=gradients", "--keep=gradients")
    fails(f"'{linear}' was compiled without results\nnote: recompile with --keep=results", "--keep=results")
    fails("'y.txt' has unknown extension; expected .npz or .safetensors", "--output=y.txt")
    fails("--emulator-order must be a whole number, got 'x'", "--emulator-order=x", code=2)
    fails(f"'{linear}' has no code for 'emulator'\nnote: it has: cpu:", network, "--input=x.npz", "--target=emulator",
          code=4)
    fails("cannot write 'none/t.json': No such file or directory", network, "--input=x.npz", "--input=p.npz", "--trace=none/t.json")
    fails("'linear' is not a byte model", "--sample=3", code=2)


def test_damaged_artifact(tools, linear, tmp_path):
    raw = bytearray(linear.read_bytes())
    raw[5000] ^= 1
    (tmp_path / "d.rnnc").write_bytes(raw)
    failed = run(tools, tmp_path / "d.rnnc", check=1)
    assert failed.err == f"rnn-run: error: '{tmp_path}/d.rnnc' is damaged: hash does not match\n"


def test_version(tools):
    done = run(tools, "--version")
    assert re.fullmatch(r"rnn-mlir \S+\nLLVM none\nartifact \d+\nabi \S+\n", done.out)


def test_trace(tools, linear, files):
    tools.run("rnn-run", linear, "--input=x.npz", "--input=p.npz", "--trace=t.json", "--function=linear", check=0)
    spans = json.loads((tools.work / "t.json").read_text())["traceEvents"]
    assert [span["name"] for span in spans] == ["read inputs", "open model", "linear"]
    assert all(span["ph"] == "X" and span["dur"] >= 0 for span in spans)
    assert all(a["ts"] + a["dur"] <= b["ts"] for a, b in zip(spans, spans[1:]))
