//===- InterpreterDevice.cpp - The interpreter as a device ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Device.h"
#include "rnn/Runtime/InterpreterAbi.h"

#include <dlfcn.h>
#include <filesystem>

namespace mlir::rnn::runtime {
namespace {

/// Folder of the library or program that holds this function.
std::filesystem::path ownFolder() {
  std::error_code error;
  Dl_info info;
  std::filesystem::path self;
  if (::dladdr(reinterpret_cast<void *>(&ownFolder), &info) && info.dli_fname)
    self = std::filesystem::canonical(info.dli_fname, error);
  // A program's name need not be a path.
  if (self.empty() || error)
    self = std::filesystem::canonical("/proc/self/exe", error);
  return self.parent_path();
}

} // namespace

std::string findInterpreter() {
  std::filesystem::path folder = ownFolder();
  for (const char *relative : {".", "../lib", "../" RNN_INSTALL_LIBDIR}) {
    std::error_code error;
    std::filesystem::path path = folder / relative / "librnn-interpreter.so";
    if (std::filesystem::is_regular_file(path, error))
      return path;
  }
  return "";
}

namespace {

class InterpreterDevice final : public Device {
public:
  ~InterpreterDevice() override {
    if (interpreter)
      closeFn(interpreter);
    // The library stays: it holds MLIR, which cannot be unloaded safely.
  }

  Status open(const Artifact &artifact, const std::string &path);
  Status reserve(const Function &, size_t, int64_t, const Place *) override { return Status::success(); }
  Status run(const Function &function, size_t position, int64_t frames, const CallTensors &given,
             void *stream) override;
  void perturb(double ulps, uint64_t seed) override {
    options.perturb_ulps = ulps;
    options.perturb_seed = seed;
  }

private:
  static Status failure(int32_t code, const char *message);

  RnnInterpreterRunFn runFn = nullptr;
  RnnInterpreterCloseFn closeFn = nullptr;
  RnnInterpreter *interpreter = nullptr;
  RnnInterpreterOptions options = {sizeof(RnnInterpreterOptions), 0, 0};
};

Status InterpreterDevice::failure(int32_t code, const char *message) {
  switch (code) {
  case int(Code::Data):
    return Status::error(Code::Data, Kind::Graph, message);
  case int(Code::Memory):
    return memoryError(message);
  default:
    return internalError(message);
  }
}

Status InterpreterDevice::open(const Artifact &artifact, const std::string &path) {
  std::string_view module = artifact.section(SectionKind::Module);
  if (module.empty())
    return deviceError("'" + artifact.name() + "' has no code for 'interpreter'", {"it has: " + artifact.targets()});
  if (path.empty())
    return deviceError("the interpreter is not installed (librnn-interpreter.so)");
  void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    const char *reason = ::dlerror();
    return deviceError("cannot load '" + path + "'", {reason ? reason : "unknown reason"});
  }
  auto versionFn = reinterpret_cast<RnnInterpreterAbiVersionFn>(::dlsym(library, "rnnInterpreterAbiVersion"));
  auto openFn = reinterpret_cast<RnnInterpreterOpenFn>(::dlsym(library, "rnnInterpreterOpen"));
  runFn = reinterpret_cast<RnnInterpreterRunFn>(::dlsym(library, "rnnInterpreterRun"));
  closeFn = reinterpret_cast<RnnInterpreterCloseFn>(::dlsym(library, "rnnInterpreterClose"));
  if (!versionFn || !openFn || !runFn || !closeFn || versionFn() != RNN_INTERPRETER_ABI_VERSION)
    return deviceError("'" + path + "' is of another version");
  char error[4096] = "";
  int32_t code = openFn(module.data(), module.size(), &interpreter, error, sizeof error);
  return code == 0 ? Status::success() : failure(code, error);
}

Status InterpreterDevice::run(const Function &function, size_t, int64_t frames, const CallTensors &given, void *) {
  size_t count = function.tensors.size();
  std::vector<RnnInterpreterTensor> tensors(count);
  std::vector<std::vector<int64_t>> shapes(count);
  for (size_t i = 0; i < count; ++i) {
    const TensorDesc &desc = function.tensors[i];
    shapes[i] = desc.shape;
    if (desc.hasFrames())
      shapes[i][0] = frames;
    tensors[i] = {desc.name.c_str(), dtypeName(desc.dtype), int32_t(shapes[i].size()), shapes[i].data(),
                  given.addresses[i]};
  }
  char error[4096] = "";
  int32_t code =
      runFn(interpreter, function.name.c_str(), tensors.data(), int32_t(count), frames, &options, error, sizeof error);
  return code == 0 ? Status::success() : failure(code, error);
}

} // namespace

Status createInterpreterDevice(const Artifact &artifact, const std::string &library, std::unique_ptr<Device> &device) {
  auto interpreter = std::make_unique<InterpreterDevice>();
  if (Status status = interpreter->open(artifact, library); status.failed())
    return status;
  device = std::move(interpreter);
  return Status::success();
}

} // namespace mlir::rnn::runtime
