//===- Checkpoint.cpp - Sessions in files ---------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Session.h"
#include "rnn/Runtime/TensorFile.h"

namespace mlir::rnn::runtime {

Status Session::save(const std::string &path, std::map<std::string, std::string> metadata) const {
  TensorFile file;
  if (Status status = snapshot(file.tensors); status.failed())
    return status;
  file.metadata = std::move(metadata);
  file.metadata["rnn.format"] = "1";
  file.metadata["rnn.version"] = RNN_VERSION;
  file.metadata["rnn.network_hash"] = types.networkHash;
  return writeTensorFile(path, file);
}

namespace {

/// The first four digits of a hash.
std::string shorten(const std::string &hash) { return hash.substr(0, 4) + "…"; }

/// `differs in: …` for the first parameter that is not the same in the file.
Notes findDifference(const Session &session, const TensorMap &tensors) {
  for (const std::string &name : session.names()) {
    if (session.role(name) != Role::Parameter)
      continue;
    TensorRef here;
    if (session.view(name, here).failed())
      continue;
    std::string shape = shapeToString(std::vector<int64_t>(here.shape, here.shape + here.rank));
    auto it = tensors.find(name);
    if (it == tensors.end())
      return {"differs in: '" + name + "' " + shape + " here, none there"};
    std::string other = shapeToString(it->second.shape);
    if (shape != other)
      return {"differs in: '" + name + "' " + shape + " here, " + other + " there"};
  }
  return {};
}

} // namespace

Status Session::load(const std::string &path, std::map<std::string, std::string> *metadata) {
  TensorFile file;
  if (Status status = readTensorFile(path, file); status.failed())
    return status;
  auto hash = file.metadata.find("rnn.network_hash");
  if (hash != file.metadata.end() && hash->second != types.networkHash)
    return fileError("'" + path + "' belongs to another network (hash " + shorten(hash->second) + ", expected " +
                         shorten(types.networkHash) + ")",
                     findDifference(*this, file.tensors));
  if (Status status = restore(file.tensors, /*needParameters=*/true); status.failed())
    return status;
  if (metadata)
    *metadata = std::move(file.metadata);
  return Status::success();
}

} // namespace mlir::rnn::runtime
