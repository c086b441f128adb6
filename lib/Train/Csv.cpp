//===- Csv.cpp - Comma-separated numbers ----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace mlir::rnn::train {
namespace {

using namespace runtime;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return text;
}

void split(std::string_view line, std::vector<std::string_view> &fields) {
  fields.clear();
  while (true) {
    size_t comma = line.find(',');
    fields.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos)
      return;
    line.remove_prefix(comma + 1);
  }
}

bool parseNumber(std::string_view text, float &value) {
  if (!text.empty() && text.front() == '+')
    text.remove_prefix(1);
  double read = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  value = float(read);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

/// The cells of the file: numbers by row and column, NaN where empty.
struct Table {
  std::vector<std::string> names;
  std::vector<float> cells;
  std::vector<std::string> sequenceOf; ///< per row, the text in the sequence column
  std::vector<int64_t> lineOf;         ///< per row
  size_t columns = 0;
  size_t rows() const { return columns ? cells.size() / columns : 0; }
};

class Reader {
public:
  Reader(const std::string &path, const DataOptions &options) : path(path), options(options) {}

  Status read(std::string_view text, Table &table) {
    constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
    if (text.substr(0, byteOrderMark.size()) == byteOrderMark)
      text.remove_prefix(byteOrderMark.size());
    std::vector<std::string_view> fields;
    for (int64_t line = 1; !text.empty(); ++line) {
      size_t end = std::min(text.find('\n'), text.size());
      std::string_view current = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (trimmed(current).empty())
        continue;
      split(current, fields);
      if (table.columns == 0) {
        table.columns = fields.size();
        bool header = isHeader(fields);
        for (size_t c = 0; c < fields.size(); ++c)
          table.names.push_back(header ? std::string(fields[c]) : std::to_string(c + 1));
        if (Status status = findSequenceColumn(table); status.failed())
          return status;
        if (header)
          continue;
      }
      if (Status status = addRow(line, fields, table); status.failed())
        return status;
    }
    return table.rows() ? Status::success() : fileError("'" + path + "' has no rows");
  }

private:
  static bool isHeader(const std::vector<std::string_view> &fields) {
    float ignored;
    return std::none_of(fields.begin(), fields.end(), [&](std::string_view f) { return parseNumber(f, ignored); });
  }

  Status findSequenceColumn(const Table &table) {
    if (options.sequenceColumn.empty())
      return Status::success();
    auto found = std::find(table.names.begin(), table.names.end(), options.sequenceColumn);
    if (found == table.names.end())
      return fileError("'" + path + "' has no column '" + options.sequenceColumn + "'");
    sequenceColumn = found - table.names.begin();
    return Status::success();
  }

  Status addRow(int64_t line, const std::vector<std::string_view> &fields, Table &table) {
    std::string place = path + ":" + std::to_string(line) + ": ";
    if (fields.size() != table.columns)
      return fileError(place + std::to_string(fields.size()) + " columns, expected " + std::to_string(table.columns));
    table.lineOf.push_back(line);
    table.sequenceOf.emplace_back();
    for (size_t c = 0; c < fields.size(); ++c) {
      float value = missing;
      if (int64_t(c) == sequenceColumn)
        table.sequenceOf.back() = fields[c];
      else if (!fields[c].empty() && !parseNumber(fields[c], value))
        return fileError(place + "column " + std::to_string(c + 1) + " '" + table.names[c] + "' is not a number: '" +
                         std::string(fields[c]) + "'");
      table.cells.push_back(value);
    }
    return Status::success();
  }

  const std::string &path;
  const DataOptions &options;
  int64_t sequenceColumn = -1;
};

/// Numbers of the named columns; all but the sequence column if none is named.
Status chooseColumns(const Table &table, const std::string &path, const std::vector<std::string> &wanted,
                     const std::string &sequenceColumn, std::vector<size_t> &columns) {
  for (const std::string &name : wanted) {
    auto found = std::find(table.names.begin(), table.names.end(), name);
    if (found == table.names.end())
      return fileError("'" + path + "' has no column '" + name + "'");
    columns.push_back(size_t(found - table.names.begin()));
  }
  for (size_t c = 0; wanted.empty() && c < table.columns; ++c)
    if (sequenceColumn.empty() || table.names[c] != sequenceColumn)
      columns.push_back(c);
  return Status::success();
}

std::shared_ptr<HostTensor> gather(const Table &table, const std::vector<size_t> &columns) {
  auto tensor = std::make_shared<HostTensor>(makeTensor("f32", {int64_t(table.rows()), int64_t(columns.size())}));
  float *to = tensor->as<float>();
  for (size_t r = 0; r < table.rows(); ++r)
    for (size_t c : columns)
      *to++ = table.cells[r * table.columns + c];
  return tensor;
}

} // namespace

Status readCsv(const std::string &text, const DataOptions &options, Data &data) {
  data.kind = Data::Kind::Csv;
  Table table;
  if (Status status = Reader(data.path, options).read(text, table); status.failed())
    return status;
  std::vector<size_t> inputs, targets;
  if (Status s = chooseColumns(table, data.path, options.inputColumns, options.sequenceColumn, inputs); s.failed())
    return s;
  if (Status s = chooseColumns(table, data.path, options.targetColumns, options.sequenceColumn, targets); s.failed())
    return s;
  auto mask = std::make_shared<HostTensor>(makeTensor("i1", {int64_t(table.rows())}));
  for (size_t r = 0; r < table.rows(); ++r) {
    for (size_t c : inputs)
      if (std::isnan(table.cells[r * table.columns + c]))
        return fileError(data.path + ":" + std::to_string(table.lineOf[r]) + ": column " + std::to_string(c + 1) +
                         " '" + table.names[c] + "' is not a number: ''");
    bool known = std::none_of(targets.begin(), targets.end(),
                              [&](size_t c) { return std::isnan(table.cells[r * table.columns + c]); });
    mask->as<uint8_t>()[r] = known;
  }
  data.shift = options.horizon;
  data.columns = {{"", gather(table, inputs), 0},
                  {"target", gather(table, targets), options.horizon},
                  {"mask", mask, options.horizon}};
  data.isSeries = options.sequenceColumn.empty();
  for (size_t r = 0; r < table.rows(); ++r) {
    if (r == 0 || table.sequenceOf[r] != table.sequenceOf[r - 1])
      data.sequences.push_back({int64_t(r), 1, 0});
    ++data.sequences.back().frames;
  }
  return Status::success();
}

} // namespace mlir::rnn::train
