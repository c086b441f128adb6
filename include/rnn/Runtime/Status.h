//===- Status.h - Outcome of a runtime operation ----------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime throws nothing: every operation that can fail returns a Status.
// Its code is the exit code that a tool ends with, its kind the Python class.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_STATUS_H
#define RNN_RUNTIME_STATUS_H

#include <string>
#include <utility>
#include <vector>

namespace mlir::rnn::runtime {

/// Exit codes of the tools; the values of the C enum RnnStatus.
enum class Code : int {
  Ok = 0,
  Data = 1,
  Usage = 2,
  Differs = 3,
  Device = 4,
  Memory = 5,
  NonFinite = 6,
  Internal = 70,
  Interrupted = 130,
  Terminated = 143
};

/// What went wrong, at the granularity of the Python exceptions.
enum class Kind : char {
  None = 0,
  Graph = 'G',
  Shape = 'S',
  File = 'F',
  DType = 'T',
  Compile = 'C',
  Device = 'D',
  Memory = 'M',
  NonFinite = 'N',
  Other = 'O'
};

/// Success, or an error with its message (lower-case, no final period, without
/// the "<tool>: error: " prefix) and notes (without "note: ").
struct [[nodiscard]] Status {
  Code code = Code::Ok;
  Kind kind = Kind::None;
  std::string message;
  std::vector<std::string> notes;

  bool ok() const { return code == Code::Ok; }
  bool failed() const { return code != Code::Ok; }

  static Status success() { return {}; }
  static Status error(Code code, Kind kind, std::string message, std::vector<std::string> notes = {}) {
    return {code, kind, std::move(message), std::move(notes)};
  }
  /// The message, then a line "note: <note>" for each note.
  std::string str() const {
    std::string text = message;
    for (const std::string &note : notes)
      text += "\nnote: " + note;
    return text;
  }
};

using Notes = std::vector<std::string>;

inline Status fileError(std::string message, Notes notes = {}) {
  return Status::error(Code::Data, Kind::File, std::move(message), std::move(notes));
}
inline Status shapeError(std::string message, Notes notes = {}) {
  return Status::error(Code::Data, Kind::Shape, std::move(message), std::move(notes));
}
inline Status dtypeError(std::string message, Notes notes = {}) {
  return Status::error(Code::Data, Kind::DType, std::move(message), std::move(notes));
}
inline Status compileError(std::string message, Notes notes = {}) {
  return Status::error(Code::Data, Kind::Compile, std::move(message), std::move(notes));
}
inline Status usageError(std::string message, Notes notes = {}) {
  return Status::error(Code::Usage, Kind::Compile, std::move(message), std::move(notes));
}
inline Status deviceError(std::string message, Notes notes = {}) {
  return Status::error(Code::Device, Kind::Device, std::move(message), std::move(notes));
}
inline Status memoryError(std::string message, Notes notes = {}) {
  return Status::error(Code::Memory, Kind::Memory, std::move(message), std::move(notes));
}
inline Status nonFiniteError(std::string message, Notes notes = {}) {
  return Status::error(Code::NonFinite, Kind::NonFinite, std::move(message), std::move(notes));
}
inline Status internalError(std::string message, Notes notes = {}) {
  return Status::error(Code::Internal, Kind::Other, std::move(message), std::move(notes));
}

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_STATUS_H
