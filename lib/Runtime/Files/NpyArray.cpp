//===- NpyArray.cpp - The .npy format -------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Magic, version, length of the header, the header as the text of a Python
// dictionary with the keys descr, fortran_order and shape, the data.
//
//===----------------------------------------------------------------------===//

#include "NpyArray.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace mlir::rnn::runtime {
namespace {

struct DtypeName {
  const char *file;
  const char *ours;
};
constexpr std::array<DtypeName, 12> dtypeNames = {{{"<f8", "f64"},
                                                   {"<f4", "f32"},
                                                   {"<f2", "f16"},
                                                   {"<i8", "i64"},
                                                   {"<i4", "i32"},
                                                   {"<i2", "i16"},
                                                   {"|i1", "i8"},
                                                   {"<u8", "u64"},
                                                   {"<u4", "u32"},
                                                   {"<u2", "u16"},
                                                   {"|u1", "u8"},
                                                   {"|b1", "i1"}}};

/// Reads the header's dictionary, token by token.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}

  bool parse(std::string &descr, bool &fortran, std::vector<int64_t> &shape) {
    bool haveDescr = false, haveOrder = false, haveShape = false;
    if (!take('{'))
      return false;
    while (!take('}')) {
      std::string key;
      if (!quoted(key) || !take(':'))
        return false;
      bool known = (key == "descr" && !haveDescr && (haveDescr = quoted(descr))) ||
                   (key == "fortran_order" && !haveOrder && (haveOrder = boolean(fortran))) ||
                   (key == "shape" && !haveShape && (haveShape = tuple(shape)));
      if (!known)
        return false;
      if (!take(',')) {
        if (!take('}'))
          return false;
        break;
      }
    }
    skipSpace();
    return text.empty() && haveDescr && haveOrder && haveShape;
  }

private:
  void skipSpace() {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n'))
      text.remove_prefix(1);
  }
  bool take(char c) {
    skipSpace();
    if (text.empty() || text.front() != c)
      return false;
    text.remove_prefix(1);
    return true;
  }
  bool quoted(std::string &value) {
    skipSpace();
    if (text.empty() || (text.front() != '\'' && text.front() != '"'))
      return false;
    size_t end = text.find(text.front(), 1);
    if (end == std::string_view::npos)
      return false;
    value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return true;
  }
  bool boolean(bool &value) {
    skipSpace();
    for (bool candidate : {false, true}) {
      std::string_view word = candidate ? "True" : "False";
      if (text.substr(0, word.size()) != word)
        continue;
      text.remove_prefix(word.size());
      value = candidate;
      return true;
    }
    return false;
  }
  bool tuple(std::vector<int64_t> &values) {
    if (!take('('))
      return false;
    while (!take(')')) {
      skipSpace();
      int64_t value = 0;
      size_t digits = 0;
      for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
        value = value * 10 + (text[digits] - '0');
        if (value > (int64_t(1) << 40))
          return false;
      }
      if (digits == 0 || values.size() == 16)
        return false;
      text.remove_prefix(digits);
      values.push_back(value);
      if (!take(','))
        return take(')');
    }
    return true;
  }

  std::string_view text;
};

/// Column-major bytes to row-major ones.
std::vector<std::byte> transpose(const char *source, const std::vector<int64_t> &shape, size_t width) {
  int64_t count = *numElements(shape);
  std::vector<std::byte> result(size_t(count) * width);
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t from = 0;
    for (size_t d = shape.size(); d-- > 0;)
      from = from * shape[d] + index[d];
    std::memcpy(result.data() + size_t(i) * width, source + size_t(from) * width, width);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
  return result;
}

} // namespace

bool parseNpy(const std::string &bytes, HostTensor &tensor, std::string &reason) {
  reason = "is not a .npy array";
  if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0)
    return false;
  uint8_t major = uint8_t(bytes[6]);
  if (major < 1 || major > 3)
    return false;
  size_t lengthBytes = major == 1 ? 2 : 4, start = 8 + lengthBytes;
  if (bytes.size() < start)
    return false;
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, lengthBytes);
  if (length > bytes.size() - start)
    return false;

  reason = "has a .npy header that is wrong";
  std::string descr;
  bool fortran = false;
  tensor = HostTensor();
  if (!HeaderParser(std::string_view(bytes).substr(start, length)).parse(descr, fortran, tensor.shape))
    return false;
  auto known = std::find_if(dtypeNames.begin(), dtypeNames.end(), [&](const DtypeName &d) {
    // Native order, which numpy writes as the machine's, is accepted too.
    return descr.size() == 3 && descr.compare(1, 2, d.file + 1) == 0 && (descr[0] == d.file[0] || descr[0] == '=');
  });
  if (known == dtypeNames.end()) {
    reason = "has dtype '" + descr + "', which is not supported";
    return false;
  }
  tensor.dtype = known->ours;
  std::optional<int64_t> count = numElements(tensor.shape);
  size_t width = dtypeSize(tensor.dtype), room = bytes.size() - start - length;
  if (!count || uint64_t(*count) > room / width || uint64_t(*count) * width != room) {
    reason = "is " + tensor.dtype + " " + shapeToString(tensor.shape) + ", but has " + std::to_string(room) +
             " bytes of data";
    return false;
  }
  const char *data = bytes.data() + start + length;
  if (fortran && tensor.shape.size() > 1) {
    tensor.data = transpose(data, tensor.shape, width);
    return true;
  }
  const std::byte *first = reinterpret_cast<const std::byte *>(data);
  tensor.data.assign(first, first + room);
  return true;
}

bool npyHeader(const HostTensor &tensor, std::string &header) {
  auto known =
      std::find_if(dtypeNames.begin(), dtypeNames.end(), [&](const DtypeName &d) { return tensor.dtype == d.ours; });
  if (known == dtypeNames.end())
    return false;
  std::string text = std::string("{'descr': '") + known->file + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < tensor.shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(tensor.shape[i]);
  text += tensor.shape.size() == 1 ? ",), }" : "), }";
  text.append((64 - (10 + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  header = std::string("\x93NUMPY\x01\x00", 8);
  uint16_t length = uint16_t(text.size());
  header.append(reinterpret_cast<const char *>(&length), 2);
  header += text;
  return true;
}

} // namespace mlir::rnn::runtime
