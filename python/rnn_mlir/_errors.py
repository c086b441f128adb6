# ===- _errors.py - The exceptions ----------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""All exceptions derive from Error, and from the built-in class that a Python programmer would expect."""

from __future__ import annotations

from typing import NamedTuple


class Diagnostic(NamedTuple):
    severity: str
    message: str
    file: str | None
    line: int | None
    column: int | None
    notes: tuple[str, ...]


class Error(Exception):
    """Base class; str() is the message, then a line per note."""

    def __init__(self, message: str, notes: tuple[str, ...] = ()):
        super().__init__("\n".join([message, *(f"note: {note}" for note in notes)]))
        self.diagnostics = [Diagnostic("error", message, None, None, None, notes)]


class GraphError(Error, ValueError):
    """The network is wrong."""


class ShapeError(Error, ValueError):
    """A tensor has the wrong shape."""


class FileError(Error, ValueError):
    """A file is wrong or missing, or a name is unknown."""


class DTypeError(Error, TypeError):
    """A tensor has the wrong element type."""


class CompileError(Error, RuntimeError):
    """What was asked for is not in the artifact, or not known."""


class DeviceError(Error, RuntimeError):
    """There is no device that can run it."""


class OutOfMemoryError(Error, MemoryError):
    """There is not enough memory."""


class NonFiniteError(Error, ArithmeticError):
    """Training became non-finite."""


_CLASSES: dict[bytes, type[Error]] = {
    b"G": GraphError,
    b"S": ShapeError,
    b"F": FileError,
    b"T": DTypeError,
    b"C": CompileError,
    b"D": DeviceError,
    b"M": OutOfMemoryError,
    b"N": NonFiniteError,
}


def from_text(kind: bytes, text: str) -> Error:
    """The exception for an error of the C interface: its kind, its message and notes."""
    message, *notes = text.split("\nnote: ")
    return _CLASSES.get(kind, Error)(message, tuple(notes))
