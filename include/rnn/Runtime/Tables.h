//===- Tables.h - Tensor tables of an artifact ------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the compiler says about its functions: docs/Artifact.md, "Tables".
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_TABLES_H
#define RNN_RUNTIME_TABLES_H

#include "rnn/Runtime/Status.h"
#include "rnn/Runtime/TensorRef.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::rnn::runtime {

/// How a parameter or optimizer tensor begins.
struct Initializer {
  enum class Kind { Zeros, Constant, Uniform, Normal, Orthogonal };
  Kind kind = Kind::Zeros;
  double value = 0;                ///< Constant
  std::optional<double> low, high; ///< Uniform; absent: +-1/sqrt(last dim)
  double mean = 0, deviation = 1;  ///< Normal
  double gain = 1;                 ///< Orthogonal
  int64_t blocks = 1;              ///< Orthogonal: equal blocks of rows
  /// Values are rounded to f32 before they are stored as f64.
  bool roundToF32 = false;
};

/// A parameter or optimizer tensor of the module.
struct Variable {
  std::string name;
  bool isParameter = true;
  DType dtype = DType::Invalid;
  std::vector<int64_t> shape;
  bool trainable = false;
  Initializer init;
};

enum class Role { Argument, Parameter, Optimizer, State, Ring, Result };
enum class Rate { Static, Stream, Frame };

/// True for what lives in the session, shared by name between functions.
inline bool livesInSession(Role role) { return role != Role::Argument && role != Role::Result; }

/// One tensor of a function.
struct TensorDesc {
  std::string name;
  Role role = Role::Argument;
  Rate rate = Rate::Static;
  DType dtype = DType::Invalid;
  /// The first dimension of an argument or result may be -1: T.
  std::vector<int64_t> shape;
  /// Value of an argument that is left unbound.
  std::optional<double> defaultValue;
  /// The argument that starts streams afresh; at most one, i1 at frame rate.
  bool isReset = false;
  /// Value of a state or ring tensor at creation.
  double fill = 0;

  bool hasFrames() const { return !shape.empty() && shape[0] < 0; }
  /// Bytes for T = frames; nothing if they cannot be counted.
  std::optional<uint64_t> bytes(int64_t frames) const;
};

/// A loss or metric of a step.
struct Loss {
  std::string name;
  std::string reduction; ///< `mean` or `sum`
  double weight = 1;
};

/// Workspace of one call: constant + perThread * threads + perFrame * T bytes.
struct MemoryPlan {
  uint64_t constant = 0, perThread = 0, perFrame = 0;
};

struct Function {
  enum class Kind { Train, Eval, Infer };
  std::string name;
  Kind kind = Kind::Infer;
  std::string network;
  std::string symbol;
  /// BPTT(window; advance); both 0 without bptt, then any T >= 1 is taken.
  int64_t window = 0, advance = 0;
  /// Learning rate of the optimizer; 0 where there is none.
  double learningRate = 0;
  std::vector<Loss> losses, metrics;
  MemoryPlan memory;
  std::vector<TensorDesc> tensors;

  /// Position of a tensor in the table; -1 if the function has no such tensor.
  int64_t find(std::string_view name) const;
};

struct Tables {
  std::string networkHash;
  int64_t streams = 1;
  /// CPU features that host code needs, by its section's target. Key "": every
  /// section of host code.
  std::map<std::string, std::vector<std::string>> needs;
  std::vector<Variable> variables;
  std::vector<Function> functions;

  const Function *findFunction(std::string_view name) const;
  const Variable *findVariable(std::string_view name) const;
};

/// Parses and checks the tables: names, types, shapes, agreement between
/// functions. Sizes are bounded, so that products of them cannot overflow.
/// `artifact` is the name in messages.
Status parseTables(std::string_view json, const std::string &artifact, Tables &tables);

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_TABLES_H
