//===- Session.h - Parameters and state, and calls on them ------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_SESSION_H
#define RNN_RUNTIME_SESSION_H

#include "rnn/Runtime/Artifact.h"
#include "rnn/Runtime/Device.h"
#include "rnn/Runtime/HostTensor.h"
#include "rnn/Runtime/Memory.h"
#include "rnn/Runtime/TensorRef.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mlir::rnn::runtime {

struct SessionOptions {
  uint64_t seed = 0;
  /// 0: RNN_NUM_THREADS, else all cores that the process may use.
  int threads = 0;
  /// Seed of the order of the emulator's threads.
  uint64_t emulatorOrder = 0;
  /// Interpreter only: every f32 tensor of the session and its functions is f64
  /// (parameters are drawn in f32 and widened).
  bool widen = false;
};

/// A named tensor of one call; the caller keeps name, shape and data.
struct Binding {
  const char *name;
  TensorRef tensor;
};

using TensorMap = std::map<std::string, HostTensor>;

/// What one user of an artifact carries from call to call: parameters,
/// optimizer, state and ring, by name, shared by all functions; on one device.
/// Used by one thread at a time.
class Session {
public:
  /// `target`: `cpu`, `cuda:<n>`, `emulator` or `interpreter`. All session tensors hold their first
  /// values afterwards.
  static Status create(std::shared_ptr<const Artifact> artifact, const std::string &target,
                       const SessionOptions &options, std::unique_ptr<Session> &session);
  ~Session();

  const Artifact &artifact() const { return *source; }
  /// The artifact's tables, widened if the options say so.
  const Tables &tables() const { return types; }

  /// Runs one call. Arguments and results are used in place; integer arguments
  /// may have any integer dtype if the values fit. A binding by the name of a
  /// session tensor replaces the stored value before the call; unbound results
  /// are dropped. Errors (13-16) come before anything is changed. Allocates
  /// only when a call needs more than any before. Tensors may be in the memory
  /// of the session's GPU; their values are not checked. For `stream` see
  /// Device::run.
  Status run(std::string_view function, const Binding *bindings, size_t count, void *stream = nullptr);

  /// The same on owned tensors: allocates and returns all results.
  Status run(std::string_view function, const TensorMap &inputs, TensorMap &results);

  /// Copies a session tensor; dtype and shape must be the tensor's. On a GPU the
  /// other tensor may be in its memory; the copy comes after what the legacy
  /// default stream has got.
  Status get(std::string_view name, const TensorRef &to) const;
  Status get(std::string_view name, HostTensor &to) const;
  Status set(std::string_view name, const TensorRef &from);
  Status set(std::string_view name, const HostTensor &from);

  /// The tensor itself; data may be written. On a GPU it is the host's copy,
  /// valid until the next call, else valid as long as the session.
  Status view(std::string_view name, TensorRef &tensor) const;

  /// Names of the session tensors in the order of the tables: variables first,
  /// then state and ring.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return find(name); }
  /// Role of a session tensor; `contains(name)` must hold.
  Role role(std::string_view name) const;

  /// Starts streams afresh, those with a flag set, or all if null.
  Status reset(const uint8_t *streams);

  /// Gives every session tensor its first value, then those in `tensors` their
  /// value there. State without `state.age` counts as fully known. Names of
  /// `opt. ring. data. state.` that the session lacks are skipped, others are
  /// an error, and so are missing parameters if `needParameters`. Nothing is
  /// changed on an error.
  Status restore(const TensorMap &tensors, bool needParameters);
  /// All session tensors.
  Status snapshot(TensorMap &tensors) const;

  /// Writes a checkpoint (.safetensors), whole or not at all. Metadata:
  /// `rnn.format`, `rnn.network_hash`, `rnn.version` and what is given.
  Status save(const std::string &path, std::map<std::string, std::string> metadata = {}) const;
  /// Restores a checkpoint; message 22 if it belongs to another network.
  Status load(const std::string &path, std::map<std::string, std::string> *metadata = nullptr);

  /// Interpreter only: see RnnInterpreterOptions.
  void perturb(double ulps, uint64_t seed) { device->perturb(ulps, seed); }

private:
  /// A tensor that lives here.
  struct Resident {
    TensorDesc desc;
    size_t number = 0; ///< in `residents`
    Buffer buffer;
    TensorRef ref() const;
  };
  /// What the calls of one function need beside the bindings.
  struct Plan {
    std::unordered_map<std::string_view, size_t> positions;
    std::vector<void *> addresses;      ///< per tensor of the function
    std::vector<Place> places;          ///< likewise; `Default` of those that live here
    std::vector<const Binding *> bound; ///< likewise; null: unbound
    /// Defaults, converted arguments, dropped results.
    std::vector<Buffer> scratch;
    /// Number of frames for which `scratch` holds the default.
    std::vector<int64_t> filled;
  };

  Session() = default;
  Status addResident(const TensorDesc &desc);
  Status addResidents();
  void addPlans();
  void initialize(Resident &resident);
  Resident *find(std::string_view name) const;
  /// The same with an error that helps.
  Status lookUp(std::string_view name, Resident *&resident) const;
  Status copy(const Resident &from, HostTensor &to) const;
  Status noTensor(std::string_view name, const std::string &owner, const std::vector<std::string_view> &known) const;
  /// An error if the device cannot reach the tensor's memory.
  Status checkPlace(std::string_view name, const TensorRef &tensor) const;

  Status bind(const Function &function, Plan &plan, const Binding *bindings, size_t count) const;
  Status countFrames(const Function &function, const Plan &plan, int64_t &frames) const;
  Status place(const Function &function, Plan &plan, size_t position, int64_t frames);

  std::shared_ptr<const Artifact> source;
  Tables types;
  uint64_t seed = 0;
  bool widened = false;
  std::unique_ptr<Device> device;
  std::vector<std::unique_ptr<Resident>> residents;
  std::unordered_map<std::string_view, Resident *> index;
  std::vector<Plan> plans; ///< one per function
};

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_SESSION_H
