//===- LaunchTable.cpp - What functions launch on a GPU -------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/LaunchTable.h"

#include "../JsonReader.h"

#include <algorithm>
#include <limits>
#include <map>

namespace mlir::rnn::runtime {

uint32_t BlockCount::at(int64_t frames) const {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  int64_t points, all;
  if (__builtin_mul_overflow(perFrame, frames, &points) || __builtin_add_overflow(points, constant, &all))
    return most;
  return uint32_t(std::min(most, (all - 1) / divisor + 1));
}

namespace {

// What CUDA accepts.
constexpr int64_t kMaxThreads = 1024, kMaxCluster = 16, kMaxShared = int64_t(1) << 18;

BlockCount parseGrid(const Json &launch, JsonReader &in, const std::string &where) {
  static const Json none = Json::object();
  auto it = launch.find("grid");
  const Json &grid = it == launch.end() ? none : *it;
  BlockCount count;
  count.constant = in.integer(grid, "constant", std::nullopt, -kMaxElements, kMaxElements, where);
  count.perFrame = in.integer(grid, "per_frame", std::nullopt, 0, kMaxElements, where);
  count.divisor = in.integer(grid, "divisor", std::nullopt, 1, kMaxElements, where);
  if (!in.failed() && count.constant + count.perFrame < 1)
    in.fail(where, "has no block for one frame");
  return count;
}

Launch parseLaunch(const Json &object, JsonReader &in, const std::string &where) {
  Launch launch;
  launch.kernel = in.string(object, "kernel", nullptr, where);
  if (in.failed())
    return launch;
  std::string what = "launch of '" + launch.kernel + "'";
  launch.grid = parseGrid(object, in, what);
  launch.block = uint32_t(in.integer(object, "block", std::nullopt, 1, kMaxThreads, what));
  launch.cluster = uint32_t(in.integer(object, "cluster", 1, 1, kMaxCluster, what));
  launch.sharedBytes = uint32_t(in.integer(object, "shared_bytes", 0, 0, kMaxShared, what));
  launch.cooperative = in.number(object, "cooperative", 0.0, what) != 0;
  launch.exact = in.number(object, "exact", 0.0, what) != 0;
  return launch;
}

/// `constant` and `per_frame` of an object, zero if absent.
MemoryPlan parseMemory(const Json &object, JsonReader &in, const std::string &where) {
  MemoryPlan memory;
  memory.constant = uint64_t(in.integer(object, "constant", 0, 0, kMaxBytes, where));
  memory.perFrame = uint64_t(in.integer(object, "per_frame", 0, 0, kMaxBytes, where));
  return memory;
}

LaunchList parseList(const Json &object, JsonReader &in, const std::string &where) {
  LaunchList list;
  if (auto it = object.find("memory"); it != object.end())
    list.memory = parseMemory(*it, in, where);
  if (auto it = object.find("flags"); it != object.end()) {
    list.flags = parseMemory(*it, in, where);
    const MemoryPlan &flags = *list.flags;
    bool isInside = flags.perFrame <= list.memory.perFrame && flags.constant <= list.memory.constant &&
                    flags.constant + sizeof(int32_t) <= list.memory.constant;
    if (!in.failed() && !isInside)
      in.fail(where, "has flags outside its workspace");
  }
  for (const Json &entry : in.array(object, "launches", true, where)) {
    list.launches.push_back(parseLaunch(entry, in, where));
    if (in.failed())
      break;
  }
  return list;
}

} // namespace

Status parseLaunchTable(std::string_view json, const Tables &tables, const std::string &artifact, LaunchTable &table) {
  table = {};
  JsonReader in;
  std::map<std::string, LaunchList> lists;
  Json root = parseJsonObject(json);
  if (root.is_discarded()) {
    in.fail("the launch table", "is not a JSON object");
  } else {
    table.staticSharedBytes = uint32_t(in.integer(root, "static_shared_bytes", 0, 0, kMaxShared, "the launch table"));
    for (const Json &entry : in.array(root, "functions", true, "the launch table")) {
      std::string symbol = in.string(entry, "symbol", nullptr, "a launch list");
      std::string where = "launch list '" + symbol + "'";
      if (in.failed())
        break;
      if (!lists.emplace(symbol, parseList(entry, in, where)).second)
        in.fail(where, "is there twice");
    }
  }
  for (const Function &function : tables.functions) {
    auto it = lists.find(function.symbol);
    if (it == lists.end()) {
      in.fail("'" + function.name + "'", "has no launch list '" + function.symbol + "'");
      break;
    }
    table.lists.push_back(it->second);
  }
  if (in.failed())
    return fileError("'" + artifact + "' is damaged: " + in.problem);
  return Status::success();
}

} // namespace mlir::rnn::runtime
