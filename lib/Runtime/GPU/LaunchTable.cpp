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
/// Of a wavefront; all of its launches wait for others.
constexpr int64_t kMaxPieces = 4096;
constexpr size_t kMaxLaunches = 4096;

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

Wavefront parseWavefront(const Json &object, JsonReader &in, const std::string &where) {
  Wavefront wavefront;
  wavefront.older = uint64_t(in.integer(object, "older", 0, 0, kMaxElements, where));
  wavefront.pieceFrames = uint64_t(in.integer(object, "frames", std::nullopt, 1, kMaxElements, where));
  wavefront.mostPieces = uint32_t(in.integer(object, "pieces", std::nullopt, 1, kMaxPieces, where));
  return wavefront;
}

/// Positions below `limit`.
std::vector<uint32_t> parsePositions(const Json &object, const char *key, size_t limit, JsonReader &in,
                                     const std::string &where) {
  std::vector<uint32_t> positions;
  for (const Json &entry : in.array(object, key, true, where)) {
    if (!entry.is_number_unsigned() || entry.get<uint64_t>() >= limit) {
      in.fail(where, std::string("waits for no launch of its wavefront in '") + key + "'");
      break;
    }
    positions.push_back(uint32_t(entry.get<uint64_t>()));
  }
  return positions;
}

/// What a launch, the next of the list, waits for in its wavefront.
void parsePiece(const Json &object, JsonReader &in, const std::string &where, LaunchList &list, Launch &launch) {
  launch.wavefront = size_t(in.integer(object, "wavefront", std::nullopt, 0, kMaxElements, where));
  if (in.failed())
    return;
  if (launch.wavefront >= list.wavefronts.size())
    return in.fail(where, "is of no wavefront of its list");
  Wavefront &wavefront = list.wavefronts[launch.wavefront];
  if (wavefront.count == 0)
    wavefront.first = list.launches.size();
  else if (wavefront.first + wavefront.count != list.launches.size())
    return in.fail(where, "does not stand beside its wavefront");
  if (launch.cooperative && launch.grid.perFrame != 0)
    return in.fail(where, "has a grid that is resident and depends on its frames");
  launch.reversed = in.number(object, "reversed", 0.0, where) != 0;
  launch.after = parsePositions(object, "after", wavefront.count, in, where);
  launch.behind = parsePositions(object, "behind", kMaxLaunches, in, where);
  if (++wavefront.count > kMaxLaunches)
    in.fail(where, "is one of too many in its wavefront");
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
  if (object.contains("wavefronts"))
    for (const Json &entry : in.array(object, "wavefronts", true, where))
      list.wavefronts.push_back(parseWavefront(entry, in, "a wavefront of " + where));
  for (const Json &entry : in.array(object, "launches", true, where)) {
    Launch launch = parseLaunch(entry, in, where);
    if (!in.failed() && entry.contains("wavefront"))
      parsePiece(entry, in, "launch of '" + launch.kernel + "'", list, launch);
    if (in.failed())
      return list;
    list.launches.push_back(std::move(launch));
  }
  for (const Wavefront &wavefront : list.wavefronts)
    for (size_t i = wavefront.first; i < wavefront.first + wavefront.count; ++i)
      for (uint32_t earlier : list.launches[i].behind)
        if (earlier >= wavefront.count)
          in.fail("launch of '" + list.launches[i].kernel + "'", "waits for no launch of its wavefront in 'behind'");
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
