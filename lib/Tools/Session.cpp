//===- Session.cpp - Sessions for tools -----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CStatus.h"
#include "rnn/Runtime/Artifact.h"
#include "rnn/Runtime/Session.h"
#include "rnn/Tools/Program.h"

namespace mlir::rnn::tools {
namespace {

using namespace runtime;

DLDataType dlType(const std::string &dtype) {
  uint8_t code = kDLInt;
  if (dtype == "i1")
    code = kDLBool;
  else if (dtype == "bf16")
    code = kDLBfloat;
  else if (dtype[0] == 'f')
    code = kDLFloat;
  else if (dtype[0] == 'u')
    code = kDLUInt;
  return {code, uint8_t(8 * dtypeSize(std::string_view(dtype))), 1};
}

DLTensor dlTensor(void *data, const std::string &dtype, const std::vector<int64_t> &shape) {
  DLTensor tensor = {};
  tensor.data = data;
  tensor.device = {kDLCPU, 0};
  tensor.ndim = int32_t(shape.size());
  tensor.dtype = dlType(dtype);
  tensor.shape = const_cast<int64_t *>(shape.data());
  return tensor;
}

/// A session of the C interface.
class AbiSession : public tools::Session {
public:
  AbiSession(const Program &program, RnnSession *session) : program(program), session(session) {}

  Status run(const std::string &function, const std::vector<tools::Binding> &bindings) override {
    std::vector<DLTensor> tensors;
    tensors.reserve(bindings.size());
    std::vector<RnnBinding> c;
    for (const tools::Binding &binding : bindings) {
      tensors.push_back(dlTensor(binding.data, binding.dtype, binding.shape));
      c.push_back({binding.name.c_str(), &tensors.back()});
    }
    return shown(rnnSessionRun(session.get(), function.c_str(), c.data(), c.size(), nullptr));
  }
  Status get(const std::string &name, HostTensor &tensor) override {
    DLTensor c = dlTensor(tensor.data.data(), tensor.dtype, tensor.shape);
    return shown(rnnSessionGet(session.get(), name.c_str(), &c));
  }
  Status set(const std::string &name, const HostTensor &tensor) override {
    DLTensor c = dlTensor(const_cast<std::byte *>(tensor.data.data()), tensor.dtype, tensor.shape);
    return shown(rnnSessionSet(session.get(), name.c_str(), &c));
  }
  Status reset(const std::vector<uint8_t> &streams) override {
    return shown(rnnSessionReset(session.get(), streams.empty() ? nullptr : streams.data()));
  }
  const Tables &tables() const override { return program.tables(); }

private:
  /// The outcome of the last call; a model that was compiled here is named, not its artifact.
  Status shown(RnnStatus code) const {
    Status status = statusOf(code);
    const std::string file = "'" + program.file() + "'";
    if (size_t at = status.message.find(file); program.file() != program.name() && at != std::string::npos)
      status.message.replace(at, file.size(), "'" + program.name() + "'");
    return status;
  }

  struct Destroy {
    void operator()(RnnSession *s) const { rnnSessionDestroy(s); }
  };
  const Program &program;
  std::unique_ptr<RnnSession, Destroy> session;
};

/// A session of the runtime's own class, for the interpreter's extras.
class InterpreterSession : public tools::Session {
public:
  explicit InterpreterSession(std::unique_ptr<runtime::Session> session) : session(std::move(session)) {}

  Status run(const std::string &function, const std::vector<tools::Binding> &bindings) override {
    std::vector<runtime::Binding> refs;
    for (const tools::Binding &binding : bindings)
      refs.push_back({binding.name.c_str(),
                      {parseDType(binding.dtype), int32_t(binding.shape.size()), binding.shape.data(), binding.data}});
    return session->run(function, refs.data(), refs.size());
  }
  Status get(const std::string &name, HostTensor &tensor) override { return session->get(name, tensor); }
  Status set(const std::string &name, const HostTensor &tensor) override { return session->set(name, tensor); }
  Status reset(const std::vector<uint8_t> &streams) override {
    return session->reset(streams.empty() ? nullptr : streams.data());
  }
  const Tables &tables() const override { return session->tables(); }

private:
  std::unique_ptr<runtime::Session> session;
};

Status createInterpreter(const Program &program, const tools::Session::Options &options,
                         std::unique_ptr<tools::Session> &session) {
  std::shared_ptr<const Artifact> artifact;
  if (Status status = Artifact::fromMemory(program.contents(), program.file(), artifact); status.failed())
    return status;
  SessionOptions internal;
  internal.seed = options.seed;
  internal.threads = options.threads;
  internal.widen = options.widen;
  std::unique_ptr<runtime::Session> created;
  if (Status status = runtime::Session::create(artifact, options.target, internal, created); status.failed())
    return status;
  if (options.perturbSeed)
    created->perturb(/*ulps=*/1, options.perturbSeed);
  session = std::make_unique<InterpreterSession>(std::move(created));
  return Status::success();
}

} // namespace

Status tools::Session::create(const Program &program, const Options &options,
                              std::unique_ptr<tools::Session> &session) {
  if (options.widen || options.perturbSeed)
    return createInterpreter(program, options, session);
  RnnSessionOptions c = {};
  c.size = sizeof(c);
  c.seed = options.seed;
  c.threads = options.threads;
  c.emulator_order = options.emulatorOrder;
  RnnSession *created = nullptr;
  Status status = statusOf(rnnSessionCreate(program.handle(), options.target.c_str(), &c, &created));
  if (status.ok())
    session = std::make_unique<AbiSession>(program, created);
  return status;
}

} // namespace mlir::rnn::tools
