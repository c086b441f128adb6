//===- JsonReader.h - Tables out of JSON that nobody vouches for -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_LIB_RUNTIME_JSONREADER_H
#define RNN_LIB_RUNTIME_JSONREADER_H

#include "rnn/Runtime/ArtifactFormat.h"
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mlir::rnn::runtime {

using Json = nlohmann::json;

/// Larger numbers of elements are refused, and more bytes than `kMaxBytes`, so
/// that products of them cannot overflow.
constexpr int64_t kMaxElements = int64_t(1) << 40;

/// Parses a table of an artifact; a discarded value if it is no object or too
/// long.
inline Json parseJsonObject(std::string_view text) {
  constexpr size_t most = size_t(64) << 20;
  Json root(Json::value_t::discarded);
  if (text.size() <= most)
    root = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  return root.is_object() ? root : Json(Json::value_t::discarded);
}

/// Reads typed members of JSON objects. The first problem is kept; after it
/// every read gives a default, so that callers need not check each one.
class JsonReader {
public:
  std::string problem;

  bool failed() const { return !problem.empty(); }
  void fail(const std::string &where, const std::string &what) {
    if (problem.empty())
      problem = where + " " + what;
  }

  std::string string(const Json &object, const char *key, const char *fallback, const std::string &where) {
    const Json *value = member(object, key);
    if (value && value->is_string())
      return value->get<std::string>();
    if (value || !fallback)
      fail(where, std::string("has no string '") + key + "'");
    return fallback ? fallback : "";
  }

  double number(const Json &object, const char *key, std::optional<double> fallback, const std::string &where) {
    return optionalNumber(object, key, where, !fallback).value_or(fallback.value_or(0));
  }

  /// A number or a bool; nothing where it is absent.
  std::optional<double> optionalNumber(const Json &object, const char *key, const std::string &where,
                                       bool required = false) {
    const Json *value = member(object, key);
    if (value && value->is_boolean())
      return value->get<bool>();
    if (value && value->is_number() && std::isfinite(value->get<double>()))
      return value->get<double>();
    if (value || required)
      fail(where, std::string("has no number '") + key + "'");
    return std::nullopt;
  }

  int64_t integer(const Json &object, const char *key, std::optional<int64_t> fallback, int64_t low, int64_t high,
                  const std::string &where) {
    const Json *value = member(object, key);
    if (!value && fallback)
      return *fallback;
    std::optional<int64_t> found = value ? toInteger(*value) : std::nullopt;
    if (found && *found >= low && *found <= high)
      return *found;
    fail(where, std::string("has no '") + key + "' from " + std::to_string(low) + " to " + std::to_string(high));
    return low;
  }

  const Json &array(const Json &object, const char *key, bool required, const std::string &where) {
    static const Json empty = Json::array();
    const Json *value = member(object, key);
    if (value && value->is_array())
      return *value;
    if (value || required)
      fail(where, std::string("has no list '") + key + "'");
    return empty;
  }

protected:
  static const Json *member(const Json &object, const char *key) {
    if (!object.is_object())
      return nullptr;
    auto it = object.find(key);
    return it == object.end() ? nullptr : &*it;
  }

  static std::optional<int64_t> toInteger(const Json &value) {
    if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX))
      return std::nullopt;
    if (!value.is_number_integer())
      return std::nullopt;
    return value.get<int64_t>();
  }
};

} // namespace mlir::rnn::runtime

#endif // RNN_LIB_RUNTIME_JSONREADER_H
