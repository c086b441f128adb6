//===- Data.h - Data to learn from ------------------------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The three kinds of data: bytes of any file, rows of a CSV file, arrays of
// .npz and .safetensors. All of them become columns of rows, one row per frame,
// and sequences of such rows; arrays may also have a value per sequence, or one
// for the whole run.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_TRAIN_DATA_H
#define RNN_TRAIN_DATA_H

#include "rnn/Runtime/HostTensor.h"
#include "rnn/Runtime/Status.h"
#include "rnn/Runtime/Tables.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mlir::rnn::train {

using runtime::HostTensor;
using runtime::Status;

/// One argument's values. At frame rate `values` is [rows, …signal], and the
/// frame of row r has the value of row r + shift; at stream rate it is
/// [sequences of the file, …signal], at static rate […signal]. An empty name:
/// the network's only input.
struct Column {
  std::string name;
  std::shared_ptr<HostTensor> values;
  int64_t shift = 0;
  runtime::Rate rate = runtime::Rate::Frame;
};

/// Rows first, first + stride, …; one per frame.
struct Sequence {
  int64_t first = 0;
  int64_t stride = 1;
  int64_t frames = 0;
  int64_t number = 0; ///< in the file
};

struct Data {
  enum class Kind { Bytes, Csv, Arrays };
  Kind kind = Kind::Bytes;
  std::string path;
  /// Arrays as the file has them, until they are arranged.
  std::map<std::string, HostTensor> arrays;
  std::vector<Column> columns;
  std::vector<Sequence> sequences;
  /// Rows at the end of a piece that have no target: the largest shift.
  int64_t shift = 0;
  /// One long series, to be cut into pieces; else separate sequences.
  bool isSeries = true;
  /// Of the file's bytes.
  uint32_t checksum = 0;
  /// CSV: mean and deviation of the training rows, of the input columns and then
  /// of the targets.
  std::vector<double> mean, deviation;
};

struct DataOptions {
  std::vector<std::string> inputColumns, targetColumns;
  std::string sequenceColumn;
  int64_t horizon = 1;
};

/// The argument of that name; null where there is none.
const runtime::TensorDesc *findArgument(const runtime::Function &function, const std::string &name);

/// The shape of a tensor's signal: without frames and streams.
std::vector<int64_t> signalShape(const runtime::TensorDesc &tensor);

/// Reads a file; the extension names its kind. Arrays have no columns and no
/// sequences yet.
Status readData(const std::string &path, const DataOptions &options, Data &data);

/// The reader of CSV behind it, on the content of the file.
Status readCsv(const std::string &text, const DataOptions &options, Data &data);

/// Makes columns and sequences of arrays that have none. An array is [T,N,…]
/// unless it has the name of an argument of stream rate, [N,…], or of static
/// rate, […]; null is a step that is not written yet, whose arguments all have
/// frame rate. One sequence is a series unless it has a value for the whole of
/// it. Data of other kinds stay as they are.
Status arrangeArrays(const runtime::Function *step, Data &data);

/// Cuts off the last part of the series, or the last sequences, for validation;
/// `validation` has no sequences if that part is too small.
void splitData(double fraction, Data &data, Data &validation);

/// CSV: takes mean and deviation from the sequences of `data`.
void measureScale(Data &data);

/// CSV: scales the columns by mean and deviation; columns that are shared with
/// other data are scaled once.
void applyScale(const std::vector<double> &mean, const std::vector<double> &deviation, Data &data);

} // namespace mlir::rnn::train

#endif // RNN_TRAIN_DATA_H
