//===- Session.cpp - Parameters and state, and calls on them --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a session holds: creation, first values, access by name, reset, restore.
// Calls are in Call.cpp, files in Checkpoint.cpp.
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/Session.h"

#include "rnn/Runtime/Initializers.h"
#include "rnn/Runtime/TensorChecks.h"

#include <algorithm>
#include <cstring>

namespace mlir::rnn::runtime {

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

namespace {

/// Opens the device that `target` names.
Status createDevice(const Artifact &artifact, const std::string &target, const SessionOptions &options,
                    std::unique_ptr<Device> &device) {
  if (target == "interpreter")
    return createInterpreterDevice(artifact, findInterpreter(), device);
  if (target == "cpu") {
    if (options.widen)
      return usageError("only the interpreter widens f32 to f64");
    int threads = 1;
    bool isGiven = false;
    if (Status status = resolveThreads(options.threads, threads, &isGiven); status.failed())
      return status;
    return createCpuDevice(artifact, threads, /*adapt=*/!isGiven && threads > 1, device);
  }
  std::optional<int> number = parseCudaTarget(target);
  if (!number && target != "emulator")
    return usageError("unknown target '" + target + "'", {"known: cpu, cuda:0, emulator, interpreter"});
  if (options.widen)
    return usageError("only the interpreter widens f32 to f64");
  return number ? createCudaDevice(artifact, *number, device)
                : createEmulatorDevice(artifact, options.emulatorOrder, device);
}

/// f32 becomes f64, its values stay.
void widen(Tables &tables) {
  for (Variable &variable : tables.variables) {
    if (variable.dtype != DType::F32)
      continue;
    variable.dtype = DType::F64;
    variable.init.roundToF32 = true;
  }
  for (Function &function : tables.functions)
    for (TensorDesc &tensor : function.tensors)
      if (tensor.dtype == DType::F32)
        tensor.dtype = DType::F64;
}

} // namespace

Status Session::create(std::shared_ptr<const Artifact> artifact, const std::string &target,
                       const SessionOptions &options, std::unique_ptr<Session> &session) {
  std::unique_ptr<Session> created(new Session);
  created->types = artifact->tables();
  created->seed = options.seed;
  created->widened = options.widen;
  if (options.widen)
    widen(created->types);
  if (Status status = createDevice(*artifact, target, options, created->device); status.failed())
    return status;
  created->source = std::move(artifact);
  if (Status status = created->addResidents(); status.failed())
    return status;
  for (auto &resident : created->residents)
    created->initialize(*resident);
  created->addPlans();
  const std::vector<Function> &functions = created->types.functions;
  for (size_t i = 0; i < functions.size(); ++i) {
    int64_t frames = std::max<int64_t>(functions[i].advance, 1);
    if (Status status = created->device->reserve(functions[i], i, frames, nullptr); status.failed())
      return status;
  }
  session = std::move(created);
  return Status::success();
}

Session::~Session() = default;

Status Session::addResident(const TensorDesc &desc) {
  if (index.count(desc.name))
    return Status::success();
  auto resident = std::make_unique<Resident>();
  resident->desc = desc;
  std::optional<uint64_t> bytes = desc.bytes(1);
  uint64_t available = availableMemory();
  if (!bytes || *bytes > available || !resident->buffer.allocate(*bytes))
    return memoryError("needs " + formatBytes(bytes.value_or(UINT64_MAX)) + " for '" + desc.name + "', " +
                       formatBytes(available) + " are free");
  resident->number = residents.size();
  index.emplace(resident->desc.name, resident.get());
  residents.push_back(std::move(resident));
  const Resident &added = *residents.back();
  return device->attach(added.number, added.desc.name, added.buffer.data(), *bytes);
}

Status Session::addResidents() {
  for (const Variable &variable : types.variables) {
    TensorDesc desc;
    desc.name = variable.name;
    desc.role = variable.isParameter ? Role::Parameter : Role::Optimizer;
    desc.dtype = variable.dtype;
    desc.shape = variable.shape;
    if (Status status = addResident(desc); status.failed())
      return status;
  }
  for (const Function &function : types.functions)
    for (const TensorDesc &tensor : function.tensors)
      if (livesInSession(tensor.role))
        if (Status status = addResident(tensor); status.failed())
          return status;
  return Status::success();
}

void Session::addPlans() {
  for (const Function &function : types.functions) {
    Plan plan;
    size_t count = function.tensors.size();
    plan.addresses.resize(count);
    plan.places.resize(count, Place::Default);
    plan.bound.resize(count);
    plan.scratch.resize(count);
    plan.filled.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const TensorDesc &tensor = function.tensors[i];
      plan.positions.emplace(tensor.name, i);
      if (livesInSession(tensor.role))
        plan.addresses[i] = find(tensor.name)->buffer.data();
    }
    plans.push_back(std::move(plan));
  }
}

void Session::initialize(Resident &resident) {
  const TensorDesc &desc = resident.desc;
  if (const Variable *variable = types.findVariable(desc.name))
    return storeValues(initialValues(*variable, seed), desc.dtype, resident.buffer.data());
  if (desc.name == "seed" && desc.dtype == DType::I64) {
    std::memcpy(resident.buffer.data(), &seed, sizeof seed);
    return;
  }
  fillTensor(desc.fill, desc.dtype, countElements(resident.ref()), resident.buffer.data());
}

//===----------------------------------------------------------------------===//
// Access by name
//===----------------------------------------------------------------------===//

TensorRef Session::Resident::ref() const {
  return {desc.dtype, int32_t(desc.shape.size()), desc.shape.data(), buffer.data()};
}

Session::Resident *Session::find(std::string_view name) const {
  auto it = index.find(name);
  return it == index.end() ? nullptr : it->second;
}

Status Session::noTensor(std::string_view name, const std::string &owner,
                         const std::vector<std::string_view> &known) const {
  std::string_view similar = findSimilar(name, known);
  Notes notes;
  if (!similar.empty())
    notes.push_back("did you mean '" + std::string(similar) + "'?");
  return fileError("'" + owner + "' has no tensor named '" + std::string(name) + "'", std::move(notes));
}

std::vector<std::string> Session::names() const {
  std::vector<std::string> list;
  for (auto &resident : residents)
    list.push_back(resident->desc.name);
  return list;
}

Role Session::role(std::string_view name) const { return find(name)->desc.role; }

Status Session::lookUp(std::string_view name, Resident *&resident) const {
  resident = find(name);
  if (resident)
    return Status::success();
  std::vector<std::string_view> known;
  for (auto &other : residents)
    known.push_back(other->desc.name);
  return noTensor(name, source->name(), known);
}

Status Session::checkPlace(std::string_view name, const TensorRef &tensor) const {
  if (tensor.onHost() || tensor.gpu == device->gpu())
    return Status::success();
  std::string quoted = "tensor '" + std::string(name) + "'";
  if (device->gpu() < 0)
    return deviceError(quoted + " is not in host memory");
  return deviceError(quoted + " is on 'cuda:" + std::to_string(tensor.gpu) +
                     "', the session on 'cuda:" + std::to_string(device->gpu()) + "'");
}

Status Session::view(std::string_view name, TensorRef &tensor) const {
  Resident *resident = nullptr;
  if (Status status = lookUp(name, resident); status.failed())
    return status;
  if (Status status = device->fetch(resident->number); status.failed())
    return status;
  device->update(resident->number); // whoever has a view may write
  tensor = resident->ref();
  return Status::success();
}

Status Session::get(std::string_view name, const TensorRef &to) const {
  Resident *from = nullptr;
  if (Status status = lookUp(name, from); status.failed())
    return status;
  // Written in place like a result: no conversion.
  TensorDesc desc = from->desc;
  desc.role = Role::Result;
  TensorCheck check{desc, source->name(), source->name(), types.streams, false};
  if (Status status = check.check(to); status.failed())
    return status;
  if (Status status = checkPlace(name, to); status.failed())
    return status;
  if (!to.onHost())
    return device->copyToGpu(from->number, to.data, nullptr);
  if (Status status = device->fetch(from->number); status.failed())
    return status;
  convert(from->ref(), desc.dtype, to.data);
  return Status::success();
}

Status Session::get(std::string_view name, HostTensor &to) const {
  Resident *from = nullptr;
  if (Status status = lookUp(name, from); status.failed())
    return status;
  return copy(*from, to);
}

Status Session::copy(const Resident &from, HostTensor &to) const {
  if (Status status = device->fetch(from.number); status.failed())
    return status;
  to = makeTensor(dtypeName(from.desc.dtype), from.desc.shape);
  std::memcpy(to.data.data(), from.buffer.data(), to.data.size());
  return Status::success();
}

Status Session::set(std::string_view name, const TensorRef &from) {
  Resident *to = nullptr;
  if (Status status = lookUp(name, to); status.failed())
    return status;
  TensorCheck check{to->desc, source->name(), source->name(), types.streams, widened};
  if (Status status = check.check(from); status.failed())
    return status;
  if (Status status = checkPlace(name, from); status.failed())
    return status;
  if (!from.onHost())
    return device->copyFromGpu(to->number, from.data, nullptr);
  if (Status status = check.checkValues(from); status.failed())
    return status;
  convert(from, to->desc.dtype, to->buffer.data());
  device->update(to->number);
  return Status::success();
}

Status Session::set(std::string_view name, const HostTensor &from) { return set(name, refTo(from)); }

//===----------------------------------------------------------------------===//
// Reset and restore
//===----------------------------------------------------------------------===//

Status Session::reset(const uint8_t *streams) {
  for (const char *name : {"state.age", "ring.age"}) {
    Resident *ages = find(name);
    if (!ages || ages->desc.dtype != DType::I64 || ages->desc.shape.empty())
      continue;
    auto *values = static_cast<int64_t *>(ages->buffer.data());
    if (Status status = device->fetch(ages->number); status.failed())
      return status;
    device->update(ages->number);
    int64_t count = countElements(ages->ref());
    int64_t perRow = ages->desc.shape.back(); // streams
    for (int64_t i = 0; i < count; ++i)
      if (!streams || streams[i % perRow])
        values[i] = -1;
  }
  return Status::success();
}

namespace {

bool startsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

/// What a checkpoint may hold beside the tensors of this session: another
/// function's optimizer or state, and the trainer's data.
bool maySkip(std::string_view name) {
  for (std::string_view prefix : {"opt.", "ring.", "data.", "state."})
    if (startsWith(name, prefix))
      return true;
  return name == "seed";
}

} // namespace

Status Session::restore(const TensorMap &tensors, bool needParameters) {
  bool hasState = false;
  for (auto &[name, tensor] : tensors) {
    Resident *resident = find(name);
    if (!resident && maySkip(name))
      continue;
    if (Status status = lookUp(name, resident); status.failed())
      return status;
    TensorCheck check{resident->desc, source->name(), source->name(), types.streams, widened};
    TensorRef given = refTo(tensor);
    if (Status status = check.check(given); status.failed())
      return status;
    if (Status status = check.checkValues(given); status.failed())
      return status;
    hasState |= startsWith(name, "state.") && name != "state.frame";
  }
  for (auto &resident : residents)
    if (needParameters && resident->desc.role == Role::Parameter && !tensors.count(resident->desc.name))
      return fileError("no input for '" + resident->desc.name + "' of '" + source->name() + "'");

  for (auto &resident : residents) {
    auto it = tensors.find(resident->desc.name);
    if (it != tensors.end())
      convert(refTo(it->second), resident->desc.dtype, resident->buffer.data());
    else
      initialize(*resident);
    device->update(resident->number);
  }
  // State of unknown age counts as fully known.
  Resident *ages = find("state.age");
  if (ages && hasState && !tensors.count("state.age"))
    fillTensor(2147483647.0, ages->desc.dtype, countElements(ages->ref()), ages->buffer.data());
  return Status::success();
}

Status Session::snapshot(TensorMap &tensors) const {
  for (auto &resident : residents)
    if (Status status = copy(*resident, tensors[resident->desc.name]); status.failed())
      return status;
  return Status::success();
}

} // namespace mlir::rnn::runtime
