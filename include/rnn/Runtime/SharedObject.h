//===- SharedObject.h - A shared object from memory -------------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_RUNTIME_SHAREDOBJECT_H
#define RNN_RUNTIME_SHAREDOBJECT_H

#include "rnn/Runtime/Status.h"

#include <string>
#include <string_view>

namespace mlir::rnn::runtime {

/// Code that was loaded from bytes: through a file in memory or, where the
/// system forbids to execute those, a file in the cache folder that is removed
/// at once.
class SharedObject {
public:
  SharedObject() = default;
  SharedObject(const SharedObject &) = delete;
  SharedObject &operator=(const SharedObject &) = delete;
  ~SharedObject();

  /// Tries memory, then the cache folder. `name` is the artifact in messages.
  Status load(std::string_view bytes, const std::string &name);

  /// The two ways by themselves: false if one is closed, with the reason.
  bool loadFromMemory(std::string_view bytes, std::string &problem);
  bool loadFromCache(std::string_view bytes, std::string &problem);

  /// Address of a symbol; null if there is none.
  void *find(const std::string &symbol) const;

private:
  void *handle = nullptr;
  /// Open as long as the handle: glibc takes an equal path for an equal file,
  /// so a reused number would give the old library.
  int fd = -1;
};

/// RNN_CACHE_DIR, else ~/.cache/rnn-mlir, created if needed; empty if that
/// fails.
std::string cacheFolder();

} // namespace mlir::rnn::runtime

#endif // RNN_RUNTIME_SHAREDOBJECT_H
