# ===- test_broken_files.py - What the tools say of files that are broken ------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Each way in which .npz and .safetensors can be wrong, with the words that name it."""

import io
import json
import struct
import zipfile

import pytest


def refused(tools, name, content, message, *arguments):
    """The file is refused in these words, and nothing is computed."""
    (tools.work / name).write_bytes(content)
    failed = tools.run("rnn-run", *arguments, "--output=y.npz", check=1)
    assert (failed.err, failed.out) == (f"rnn-run: error: '{name}' {message}\n", "")
    assert not (tools.work / "y.npz").exists()


def by_words(value):
    return value if isinstance(value, str) else ""


# .npz: zip archives of .npy arrays --------------------------------------------


def npy(header="{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", data=bytes(8), version=1):
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def archive(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return bytearray(file.getvalue())


def poke(raw, magic, offset, kind, value, number=0):
    """Writes a field of the `number`-th record that begins with this magic."""
    at = -1
    for _ in range(number + 1):
        at = raw.index(magic, at + 1)
    struct.pack_into(kind, raw, at + offset, value)
    return raw


LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
ONE = ("a.npy", npy())
TWO = (ONE, ("b.npy", npy()))
NO_DIRECTORY = "no central directory at its end"
WRONG_HEADER = "member 'a.npy' has a wrong header"


@pytest.mark.parametrize("raw, reason", [
    (b"", NO_DIRECTORY),
    (bytes(21), NO_DIRECTORY),
    (bytes(100), NO_DIRECTORY),
    (archive(ONE) + b"tail", NO_DIRECTORY),
    (poke(archive(ONE), END, 16, "<I", 1 << 30), NO_DIRECTORY),
    (poke(archive(ONE), END, 10, "<H", 1000), NO_DIRECTORY),
    (poke(archive(ONE), CENTRAL, 0, "<I", 0), "entry 0 of the central directory is wrong"),
    (poke(archive(*TWO), CENTRAL, 28, "<H", 5000, 1), "entry 1 of the central directory is wrong"),
    (poke(archive(ONE), CENTRAL, 24, "<I", 0xffffffff), "entry 0 of the central directory is wrong"),
    (poke(archive(ONE), CENTRAL, 42, "<I", 1 << 20), WRONG_HEADER),
    (poke(archive(ONE), LOCAL, 0, "<I", 0), WRONG_HEADER),
    (poke(archive(ONE), CENTRAL, 20, "<I", 1 << 20), WRONG_HEADER),
    (poke(archive(ONE), LOCAL, 30, "<B", ord("z")), WRONG_HEADER),
    (poke(archive(ONE), LOCAL, 8, "<H", 8), WRONG_HEADER),
    (poke(archive(*TWO), CENTRAL, 20, "<I", 100), "member 'b.npy' overlaps another one"),
    (poke(archive(ONE), CENTRAL, 8, "<H", 1), "member 'a.npy' is encrypted"),
    (archive(ONE, method=zipfile.ZIP_BZIP2), "member 'a.npy' has compression method 12; expected 0 or 8"),
    (archive(ONE, method=zipfile.ZIP_LZMA), "member 'a.npy' has compression method 14; expected 0 or 8"),
    (poke(archive(ONE), CENTRAL, 16, "<I", 0), "member 'a.npy' is damaged"),
    (poke(archive(ONE), CENTRAL, 24, "<I", 7), "member 'a.npy' is damaged"),
    (poke(archive(ONE, method=zipfile.ZIP_DEFLATED), LOCAL, 36, "<I", 0xffffffff), "member 'a.npy' is damaged"),
    (poke(archive(ONE, method=zipfile.ZIP_DEFLATED), CENTRAL, 24, "<I", 1 << 31), "member 'a.npy' is damaged"),
    (archive(("a.txt", npy())), "member 'a.txt' is not a .npy array"),
    (archive((".npy", npy())), "member '.npy' is not a .npy array"),
], ids=by_words)
def test_archives(tools, linear, raw, reason):
    refused(tools, "f.npz", raw, f"is not an npz file: {reason}", linear, "--function=linear", "--input=f.npz")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(tools, linear):
    refused(tools, "f.npz", archive(ONE, ONE), "is not an npz file: 'a' appears twice", linear, "--function=linear",
            "--input=f.npz")


def described(descr="'<f4'", order="False", shape="(2,)", more=""):
    return npy(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}{more}}}")


NO_ARRAY, NO_HEADER = "is not a .npy array", "has a .npy header that is wrong"


@pytest.mark.parametrize("content, reason", [
    (b"", NO_ARRAY),
    (npy()[1:], NO_ARRAY),
    (npy(version=4), NO_ARRAY),
    (npy(version=2)[:11], NO_ARRAY),
    (npy()[:40], NO_ARRAY),
    (npy("(1, 2)"), NO_HEADER),
    (npy("{'descr': '<f4', 'fortran_order': False}"), NO_HEADER),
    (described(more=", 'shape': (2,)"), NO_HEADER),
    (described(more=", 'more': 1"), NO_HEADER),
    (described(order="0"), NO_HEADER),
    (described(shape="(-2,)"), NO_HEADER),
    (described(shape="(1099511627777,)"), NO_HEADER),
    (described(shape="(" + "1," * 17 + ")"), NO_HEADER),
    (described("[('a', '<f4')]"), NO_HEADER),
    (described("'>f4'"), "has dtype '>f4', which is not supported"),
    (described("'<c8'"), "has dtype '<c8', which is not supported"),
    (described("'|O'"), "has dtype '|O', which is not supported"),
    (described(shape="(3,)"), "is f32 [3], but has 8 bytes of data"),
    (described(shape="()"), "is f32 [], but has 8 bytes of data"),
    (described(shape="(1048576, 1048576, 2)"), "is f32 [1048576,1048576,2], but has 8 bytes of data"),
], ids=by_words)
def test_arrays(tools, linear, content, reason):
    refused(tools, "f.npz", archive(("a.npy", content)), f"is not an npz file: 'a' {reason}", linear,
            "--function=linear", "--input=f.npz")


# .safetensors -----------------------------------------------------------------


def safetensors(header, data=8, **entry):
    if header is None:
        header = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **entry}}
    text = header if isinstance(header, str) else json.dumps(header)
    return struct.pack("<Q", len(text)) + text.encode() + bytes(data)


def entry(begin, end, shape=(2,)):
    return {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}


LACKS = "'a' lacks dtype, shape or data_offsets"
DIMENSION = "'a' has a dimension that is not a number from 0 to 2^40"


@pytest.mark.parametrize("raw, reason", [
    (safetensors("[]"), "the header is not a JSON object"),
    (safetensors('{"a"'), "the header is not a JSON object"),
    (safetensors('{"a": {"b": {"c": {"d": 1}}}}'), "the header is nested too deeply"),
    (safetensors('{"a": 1, "a": 2}'), "'a' appears twice"),
    (safetensors({"a": 1}), LACKS),
    (safetensors({"a": {"dtype": "F32", "shape": [2]}}), LACKS),
    (safetensors(None, more=1), LACKS),
    (safetensors(None, dtype=1), "'a' has a dtype that is not a string"),
    (safetensors(None, dtype="F8_E4M3"), "'a' has unknown dtype 'F8_E4M3'"),
    (safetensors(None, shape=2), "'a' has a shape that is not a list of at most 16 numbers"),
    (safetensors(None, shape=[1] * 17), "'a' has a shape that is not a list of at most 16 numbers"),
    (safetensors(None, shape=[-2]), DIMENSION),
    (safetensors(None, shape=[2.0]), DIMENSION),
    (safetensors(None, shape=[(1 << 40) + 1]), DIMENSION),
    (safetensors(None, shape=[1 << 40, 2]), "'a' has too many elements (limit 2^40)"),
    (safetensors(None, data_offsets=[0]), "'a' has data_offsets that are not two numbers"),
    (safetensors(None, data_offsets=[0, "8"]), "'a' has data_offsets that are not two numbers"),
    (safetensors(None, data_offsets=[0, 9]), "'a' needs 8 bytes, but its data_offsets are 0 and 9"),
    (safetensors(None, data_offsets=[8, 0]), "'a' needs 8 bytes, but its data_offsets are 8 and 0"),
    (safetensors({"__metadata__": []}), "__metadata__ is not an object"),
    (safetensors({"__metadata__": {"k": 1}}), "metadata 'k' is not a string"),
    (safetensors({"a": entry(0, 8), "b": entry(4, 12)}, 12), "'b' overlaps another tensor"),
    (safetensors({"a": entry(0, 8), "b": entry(9, 17)}, 17), "there is a hole before 'b'"),
    (safetensors({"a": entry(0, 8)}, 9), "1 bytes after the last tensor"),
    (struct.pack("<Q", 1 << 40), "a header of 1099511627776 bytes is too long"),
], ids=by_words)
def test_safetensors(tools, linear, raw, reason):
    refused(tools, "f.safetensors", raw, f"is not a safetensors file: {reason}", linear, "--function=linear",
            "--input=f.safetensors")


@pytest.mark.parametrize("raw, what", [
    (b"1234567", "the header length ends at byte 8, the file has 7"),
    (struct.pack("<Q", 100), "the header ends at byte 108, the file has 8"),
    (safetensors(None, 7), "'a' ends at byte 77, the file has 76"),
], ids=by_words)
def test_safetensors_cut_off(tools, linear, raw, what):
    refused(tools, "f.safetensors", raw, f"is truncated: {what}", linear, "--function=linear", "--input=f.safetensors")
