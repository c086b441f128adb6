//===- Inputs.h - Tensors that a user gives ---------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a user's files give to a function: checked against its table, converted
// where the rules allow it.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_INPUTS_H
#define RNN_TOOLS_INPUTS_H

#include "rnn/Runtime/TensorFile.h"
#include "rnn/Tools/Program.h"

#include <map>
#include <string>
#include <vector>

namespace mlir::rnn::tools {

/// The merged tensors of several files.
struct Inputs {
  std::map<std::string, HostTensor> tensors;
  /// The file that each tensor comes from.
  std::map<std::string, std::string> origin;
  /// Metadata of each file that has some.
  std::map<std::string, std::map<std::string, std::string>> metadata;

  /// Reads the files; a name in two of them is an error.
  Status read(const std::vector<std::string> &paths);
};

/// Converts a tensor to the dtype, if the rules allow it: integers and bools
/// whose values fit; floats of equal dtype, others with `cast`. `widen` lets f32
/// become f64, which loses nothing. The message says "input '<name>' of
/// '<function>' …".
Status convertTensor(const TensorDesc &wanted, const std::string &function, bool cast, bool widen, HostTensor &tensor);

/// Arguments and stored values for one function.
struct Prepared {
  std::map<std::string, HostTensor> arguments;
  std::map<std::string, HostTensor> stored; // parameters, optimizer, state, ring
  int64_t frames = 1;                       // T of the arguments
};

struct PrepareOptions {
  bool cast = false;
  bool widen = false;
  bool ignoreState = false;     // leave out state.* and ring.*
  bool ignoreArguments = false; // the caller has its own arguments
};

/// Checks names, types, shapes, streams and frames of the inputs of `function`.
Status prepareInputs(const Program &program, const Function &function, const Inputs &inputs,
                     const PrepareOptions &options, Prepared &prepared);

/// Error 22 if a checkpoint among the inputs belongs to another network.
Status checkNetwork(const Program &program, const std::string &path, const std::map<std::string, std::string> &metadata,
                    const std::map<std::string, HostTensor> &tensors);

/// Puts the stored values into a session; `state.*` without `state.age` counts
/// as fully known history.
Status loadSession(Session &session, const Function &function, const std::map<std::string, HostTensor> &stored);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_INPUTS_H
