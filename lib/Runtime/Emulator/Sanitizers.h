//===- Sanitizers.h - GPU threads as ThreadSanitizer sees them --*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// To ThreadSanitizer a GPU thread is a fiber of its own. The engine runs as the
// thread that launched, whoever called it, and is not instrumented itself, so
// that its own data orders nobody. Without ThreadSanitizer all this is empty.
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_EMULATOR_SANITIZERS_H
#define RNN_RUNTIME_EMULATOR_SANITIZERS_H

#include <cstddef>

#ifdef RNN_THREAD_SANITIZER
extern "C" {
void *__tsan_get_current_fiber();
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_write4(void *address);
}
#endif

namespace mlir::rnn::runtime {

#ifdef RNN_THREAD_SANITIZER

/// What two threads have done on one stack would look like a race, and so would
/// giving back the shared memory of a block that has ended: the engine comes
/// after its threads only when all have ended, or later blocks would too.
constexpr bool kReusesMemory = false;

/// A GPU thread. All functions but `enterEngine` are for the engine.
class LogicalThread {
public:
  /// The thread that launches.
  static void setEngine() { engine = __tsan_get_current_fiber(); }
  /// From kernel code into the engine.
  static void enterEngine() { __tsan_switch_to_fiber(engine, kNoSync); }

  /// Begins a thread: what the launching thread has done comes before it.
  void start() { fiber = __tsan_create_fiber(0); }
  /// From the engine into this thread's code.
  void enter() { __tsan_switch_to_fiber(fiber, kNoSync); }
  /// What this thread has done comes before whatever acquires `address`.
  void release(void *address) {
    enter();
    __tsan_release(address);
    enterEngine();
  }
  void acquire(void *address) {
    enter();
    __tsan_acquire(address);
    enterEngine();
  }
  /// This thread writes a word.
  void write(void *address) {
    enter();
    __tsan_write4(address);
    enterEngine();
  }
  void end() {
    if (fiber)
      __tsan_destroy_fiber(fiber);
    fiber = nullptr;
  }
  static void engineAcquires(void *address) { __tsan_acquire(address); }

private:
  static constexpr unsigned kNoSync = 1;
  static inline thread_local void *engine = nullptr;
  void *fiber = nullptr;
};

#else

constexpr bool kReusesMemory = true;

class LogicalThread {
public:
  static void setEngine() {}
  static void enterEngine() {}
  void start() {}
  void enter() {}
  void release(void *) {}
  void acquire(void *) {}
  void write(void *) {}
  void end() {}
  static void engineAcquires(void *) {}
};

#endif

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_EMULATOR_SANITIZERS_H
