# ===- __init__.py - Artifacts of rnn-mlir in Python ----------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Runs artifacts (.rnnc) that rnn-compile wrote, on the C interface of the runtime. NumPy is the only dependency.

    import rnn_mlir as rnn

    program = rnn.load("charlm.rnnc")
    logits = program(x)                 # x [T,B]; state is carried to the next call
    program.state["l0.h"]               # a view until the next call; assigning replaces the value
    program.reset([0, 3])               # streams 0 and 3 start afresh
    program.save("last.safetensors")
"""

from ._array import Array
from ._errors import (CompileError, DeviceError, Diagnostic, DTypeError, Error, FileError, GraphError, NonFiniteError,
                      OutOfMemoryError, ShapeError)
from ._program import Program, TensorInfo, load

__version__ = "0.1.0"

__all__ = [
    "Array", "CompileError", "DTypeError", "DeviceError", "Diagnostic", "Error", "FileError", "GraphError",
    "NonFiniteError", "OutOfMemoryError", "Program", "ShapeError", "TensorInfo", "load"
]
