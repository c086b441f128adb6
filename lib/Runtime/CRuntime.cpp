//===- CRuntime.cpp - The C interface -------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rnn-c/Runtime.h over Artifact and Session. Nothing is thrown across it.
//
//===----------------------------------------------------------------------===//

#include "rnn-c/Runtime.h"

#include "rnn/Runtime/Session.h"

#include <cstring>
#include <exception>
#include <new>

using namespace mlir::rnn::runtime;

struct RnnArtifact {
  std::shared_ptr<const Artifact> artifact;
};

struct RnnSession {
  std::unique_ptr<Session> session;
  std::vector<Binding> bindings; ///< kept, so that calls do not allocate
};

namespace {

constexpr uint32_t kAbiMajor = 1;
constexpr uint32_t kAbiMinor = 0;

struct LastError {
  std::string text;
  char kind = 0;
};

/// The outcome of this thread's last call.
LastError &lastError() {
  thread_local LastError error;
  return error;
}

RnnStatus finish(const Status &status) {
  LastError &error = lastError();
  if (status.ok())
    return RNN_OK;
  error.text = status.str();
  error.kind = char(status.kind);
  return RnnStatus(status.code);
}

/// Runs a body that returns a Status, and turns exceptions into errors.
template <typename Body>
RnnStatus guard(Body body) {
  try {
    return finish(body());
  } catch (const std::bad_alloc &) {
    return finish(memoryError("not enough memory"));
  } catch (const std::exception &error) {
    return finish(internalError(error.what()));
  } catch (...) {
    return finish(internalError("unknown exception"));
  }
}

Status missingArgument(const char *name) { return usageError(std::string("argument '") + name + "' is null"); }

//===----------------------------------------------------------------------===//
// DLPack
//===----------------------------------------------------------------------===//

struct DLTypeOf {
  DType dtype;
  uint8_t code, bits;
};

constexpr DLTypeOf kDLTypes[] = {{DType::F32, kDLFloat, 32},  {DType::F64, kDLFloat, 64}, {DType::I1, kDLBool, 8},
                                 {DType::I8, kDLInt, 8},      {DType::I32, kDLInt, 32},   {DType::I64, kDLInt, 64},
                                 {DType::U8, kDLUInt, 8},     {DType::I16, kDLInt, 16},   {DType::U16, kDLUInt, 16},
                                 {DType::U32, kDLUInt, 32},   {DType::U64, kDLUInt, 64},  {DType::F16, kDLFloat, 16},
                                 {DType::BF16, kDLBfloat, 16}};

DLDataType toDLPack(DType dtype) {
  for (const DLTypeOf &type : kDLTypes)
    if (type.dtype == dtype)
      return {type.code, type.bits, 1};
  return {};
}

DType fromDLPack(DLDataType dtype) {
  for (const DLTypeOf &type : kDLTypes)
    if (type.code == dtype.code && type.bits == dtype.bits && dtype.lanes == 1)
      return type.dtype;
  return DType::Invalid;
}

bool isContiguous(const DLTensor &tensor) {
  if (!tensor.strides)
    return true;
  int64_t expected = 1;
  for (int i = tensor.ndim - 1; i >= 0; --i) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected)
      return tensor.shape[i] == 0;
    if (__builtin_mul_overflow(expected, tensor.shape[i], &expected))
      return false;
  }
  return true;
}

/// Borrows a DLPack tensor that is dense and in host memory or in that of a
/// CUDA device.
Status toRef(const char *name, const DLTensor *tensor, TensorRef &ref) {
  std::string quoted = std::string("tensor '") + name + "'";
  if (!tensor)
    return usageError(quoted + " is null");
  bool onGpu = tensor->device.device_type == kDLCUDA;
  if (!onGpu && tensor->device.device_type != kDLCPU && tensor->device.device_type != kDLCUDAHost)
    return deviceError(quoted + " is not in host memory");
  if (tensor->ndim < 0 || (tensor->ndim > 0 && !tensor->shape))
    return usageError(quoted + " has no shape");
  for (int i = 0; i < tensor->ndim; ++i)
    if (tensor->shape[i] < 0)
      return usageError(quoted + " has a negative dimension");
  if (!isContiguous(*tensor))
    return shapeError(quoted + " is not contiguous");
  ref.dtype = fromDLPack(tensor->dtype);
  ref.rank = tensor->ndim;
  ref.shape = tensor->shape;
  ref.data = tensor->data ? static_cast<char *>(tensor->data) + tensor->byte_offset : nullptr;
  ref.gpu = onGpu ? tensor->device.device_id : -1;
  return Status::success();
}

/// A view: the shape lives with it, the data with the session.
struct View {
  DLManagedTensorVersioned managed;
  std::vector<int64_t> shape;

  static void destroy(DLManagedTensorVersioned *self) {
    if (self)
      delete static_cast<View *>(self->manager_ctx);
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

uint32_t rnnAbiVersion(void) { return kAbiMajor << 16 | kAbiMinor; }
const char *rnnLastError(void) { return lastError().text.c_str(); }
char rnnLastErrorKind(void) { return lastError().kind; }

//===----------------------------------------------------------------------===//
// Artifacts
//===----------------------------------------------------------------------===//

RnnStatus rnnArtifactOpen(const char *path, RnnArtifact **artifact) {
  return guard([&] {
    if (!path || !artifact)
      return missingArgument(path ? "artifact" : "path");
    auto opened = std::make_unique<RnnArtifact>();
    Status status = Artifact::open(path, opened->artifact);
    if (status.ok())
      *artifact = opened.release();
    return status;
  });
}

RnnStatus rnnArtifactFromMemory(const void *data, size_t size, RnnArtifact **artifact) {
  return guard([&] {
    if (!data || !artifact)
      return missingArgument(data ? "artifact" : "data");
    auto opened = std::make_unique<RnnArtifact>();
    Status status =
        Artifact::fromMemory(std::string(static_cast<const char *>(data), size), "<memory>", opened->artifact);
    if (status.ok())
      *artifact = opened.release();
    return status;
  });
}

namespace {
Status findFunction(RnnArtifact *artifact, const char *name, const Function *&function) {
  if (!artifact || !name)
    return missingArgument(artifact ? "function" : "artifact");
  function = artifact->artifact->tables().findFunction(name);
  if (function)
    return Status::success();
  return fileError("'" + artifact->artifact->name() + "' has no function named '" + name + "'");
}
} // namespace

RnnStatus rnnArtifactMemory(RnnArtifact *artifact, const char *name, const char *target, int64_t frames,
                            uint64_t *bytes) {
  return guard([&] {
    const Function *function = nullptr;
    if (Status status = findFunction(artifact, name, function); status.failed())
      return status;
    if (!target || !bytes)
      return missingArgument(target ? "bytes" : "target");
    if (frames < 1)
      return shapeError("input has " + std::to_string(frames) + " frames; at least 1 is required");
    int threads = 1;
    if (std::strcmp(target, "cpu") == 0) {
      if (Status status = resolveThreads(0, threads); status.failed())
        return status;
      *bytes = workspaceBytes(function->memory, threads, frames);
      return Status::success();
    }
    if (std::strcmp(target, "interpreter") == 0) {
      *bytes = 0; // it allocates as it goes
      return Status::success();
    }
    if (std::strcmp(target, "emulator") == 0 || parseCudaTarget(target))
      return gpuWorkspaceBytes(*artifact->artifact, *function, target, frames, *bytes);
    return usageError(std::string("unknown target '") + target + "'", {"known: cpu, cuda:0, emulator, interpreter"});
  });
}

int32_t rnnFunctionCount(RnnArtifact *artifact) {
  return artifact ? int32_t(artifact->artifact->tables().functions.size()) : 0;
}

const char *rnnFunctionName(RnnArtifact *artifact, int32_t index) {
  if (index < 0 || index >= rnnFunctionCount(artifact))
    return nullptr;
  return artifact->artifact->tables().functions[index].name.c_str();
}

int32_t rnnTensorCount(RnnArtifact *artifact, const char *name) {
  const Function *function = nullptr;
  RnnStatus status = guard([&] { return findFunction(artifact, name, function); });
  return status == RNN_OK ? int32_t(function->tensors.size()) : -1;
}

RnnStatus rnnTensorInfo(RnnArtifact *artifact, const char *name, int32_t index, RnnTensorInfo *info) {
  return guard([&] {
    const Function *function = nullptr;
    if (Status status = findFunction(artifact, name, function); status.failed())
      return status;
    if (!info)
      return missingArgument("info");
    if (index < 0 || index >= int32_t(function->tensors.size()))
      return usageError("'" + function->name + "' has no tensor number " + std::to_string(index));
    const TensorDesc &desc = function->tensors[index];
    *info = {desc.name.c_str(),    desc.role != Role::Result,  desc.role != Role::Argument,
             toDLPack(desc.dtype), int32_t(desc.shape.size()), desc.shape.data()};
    return Status::success();
  });
}

void rnnArtifactDestroy(RnnArtifact *artifact) { delete artifact; }

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

RnnStatus rnnSessionCreate(RnnArtifact *artifact, const char *target, const RnnSessionOptions *options,
                           RnnSession **session) {
  return guard([&] {
    if (!artifact || !target || !session)
      return missingArgument(!artifact ? "artifact" : !target ? "target" : "session");
    // A caller built against an older header passes a shorter struct.
    RnnSessionOptions given = {};
    if (options)
      std::memcpy(&given, options, std::min(options->size, sizeof given));
    SessionOptions chosen;
    chosen.seed = given.seed;
    chosen.threads = given.threads;
    chosen.emulatorOrder = given.emulator_order;
    auto created = std::make_unique<RnnSession>();
    Status status = Session::create(artifact->artifact, target, chosen, created->session);
    if (status.ok())
      *session = created.release();
    return status;
  });
}

RnnStatus rnnSessionRun(RnnSession *session, const char *function, const RnnBinding *bindings, size_t count,
                        void *stream) {
  return guard([&] {
    if (!session || !function || (count && !bindings))
      return missingArgument(!session ? "session" : !function ? "function" : "bindings");
    session->bindings.resize(count);
    for (size_t i = 0; i < count; ++i) {
      Binding &binding = session->bindings[i];
      if (!bindings[i].name)
        return missingArgument("name");
      binding.name = bindings[i].name;
      if (Status status = toRef(binding.name, bindings[i].t, binding.tensor); status.failed())
        return status;
    }
    return session->session->run(function, session->bindings.data(), count, stream);
  });
}

RnnStatus rnnSessionGet(RnnSession *session, const char *name, DLTensor *t) {
  return guard([&] {
    if (!session || !name)
      return missingArgument(session ? "name" : "session");
    TensorRef to;
    if (Status status = toRef(name, t, to); status.failed())
      return status;
    return session->session->get(name, to);
  });
}

RnnStatus rnnSessionSet(RnnSession *session, const char *name, const DLTensor *t) {
  return guard([&] {
    if (!session || !name)
      return missingArgument(session ? "name" : "session");
    TensorRef from;
    if (Status status = toRef(name, t, from); status.failed())
      return status;
    return session->session->set(name, from);
  });
}

RnnStatus rnnSessionView(RnnSession *session, const char *name, DLManagedTensorVersioned **view) {
  return guard([&] {
    if (!session || !name || !view)
      return missingArgument(!session ? "session" : !name ? "name" : "view");
    TensorRef ref;
    if (Status status = session->session->view(name, ref); status.failed())
      return status;
    auto created = std::make_unique<View>();
    created->shape.assign(ref.shape, ref.shape + ref.rank);
    DLManagedTensorVersioned &managed = created->managed;
    managed = {};
    managed.version = {1, 0};
    managed.manager_ctx = created.get();
    managed.deleter = View::destroy;
    managed.dl_tensor.data = ref.data;
    managed.dl_tensor.device = {kDLCPU, 0};
    managed.dl_tensor.ndim = ref.rank;
    managed.dl_tensor.dtype = toDLPack(ref.dtype);
    managed.dl_tensor.shape = created->shape.data();
    *view = &created.release()->managed;
    return Status::success();
  });
}

RnnStatus rnnSessionReset(RnnSession *session, const uint8_t *streams) {
  return guard([&] { return session ? session->session->reset(streams) : missingArgument("session"); });
}

RnnStatus rnnSessionSave(RnnSession *session, const char *path) {
  return guard(
      [&] { return session && path ? session->session->save(path) : missingArgument(session ? "path" : "session"); });
}

RnnStatus rnnSessionLoad(RnnSession *session, const char *path) {
  return guard(
      [&] { return session && path ? session->session->load(path) : missingArgument(session ? "path" : "session"); });
}

void rnnSessionDestroy(RnnSession *session) { delete session; }
