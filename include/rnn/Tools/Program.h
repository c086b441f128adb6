//===- Program.h - Artifacts and sessions for tools -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C interface of the runtime, with destructors and Status.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TOOLS_PROGRAM_H
#define RNN_TOOLS_PROGRAM_H

#include "rnn-c/Runtime.h"
#include "rnn/Runtime/HostTensor.h"
#include "rnn/Runtime/Status.h"
#include "rnn/Runtime/Tables.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace mlir::rnn::tools {

using runtime::Function;
using runtime::HostTensor;
using runtime::Status;
using runtime::Tables;
using runtime::TensorDesc;

/// The shape of a tensor for T = frames.
std::vector<int64_t> shapeFor(const TensorDesc &tensor, int64_t frames);

/// An artifact, opened and checked by the runtime, with its tables.
class Program {
public:
  /// `shownAs` is the name in messages, which may be the model it comes from.
  Status open(const std::string &file, const std::string &shownAs);

  const Tables &tables() const { return table; }
  /// The text of the tables and of the provenance.
  const std::string &tablesText() const { return tableJson; }
  const std::string &provenanceText() const { return provenanceJson; }
  /// Targets of the host and device code.
  const std::vector<std::string> &targets() const { return codeTargets; }
  const std::string &name() const { return shown; }
  const std::string &file() const { return path; }
  /// The artifact itself: the file may be gone.
  const std::string &contents() const { return bytes; }
  RnnArtifact *handle() const { return artifact.get(); }

private:
  struct Destroy {
    void operator()(RnnArtifact *a) const { rnnArtifactDestroy(a); }
  };
  std::unique_ptr<RnnArtifact, Destroy> artifact;
  Tables table;
  std::string tableJson, provenanceJson, shown, path, bytes;
  std::vector<std::string> codeTargets;
};

/// The name, type, shape and memory of one tensor of a call.
struct Binding {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  void *data;
};

/// Binds all of a tensor.
Binding bind(const std::string &name, HostTensor &tensor);

/// Binds frames [begin, end) of a tensor whose first dimension is T.
Binding bindFrames(const std::string &name, HostTensor &tensor, int64_t begin, int64_t end);

/// A session of a program, which must outlive it.
class Session {
public:
  struct Options {
    std::string target = "cpu";
    uint64_t seed = 0;
    int32_t threads = 0;
    /// Interpreter only: f32 tensors are f64; f32 results are perturbed by their
    /// rounding error with this seed, 0 for none.
    bool widen = false;
    uint64_t perturbSeed = 0;
    /// Emulator only: seed of the order of its threads.
    uint64_t emulatorOrder = 0;
  };
  /// Opens a session through the C interface; for what only the interpreter can
  /// do, through the runtime's own class.
  static Status create(const Program &program, const Options &options, std::unique_ptr<Session> &session);
  virtual ~Session() = default;

  virtual Status run(const std::string &function, const std::vector<Binding> &bindings) = 0;
  /// `tensor` must have dtype and shape of the session's tensor.
  virtual Status get(const std::string &name, HostTensor &tensor) = 0;
  virtual Status set(const std::string &name, const HostTensor &tensor) = 0;
  /// One flag per stream; empty: all streams.
  virtual Status reset(const std::vector<uint8_t> &streams = {}) = 0;
  /// The program's tables, widened if the options say so.
  virtual const Tables &tables() const = 0;
};

/// The session's tensors (parameters, optimizer, state, ring) that some of the
/// functions use, each once, in the order of the tables; not the seed, which
/// every session gets by its options.
std::vector<TensorDesc> sessionTensors(const std::vector<const Function *> &functions);

/// All functions of the tables.
std::vector<const Function *> allFunctions(const Tables &tables);

} // namespace mlir::rnn::tools

#endif // RNN_TOOLS_PROGRAM_H
