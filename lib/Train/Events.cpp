//===- Events.cpp - Event files for TensorBoard ---------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Events.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace mlir::rnn::train {
namespace {

using namespace runtime;

constexpr const char *prefix = "events.out.tfevents.";

std::string littleEndian(uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i)
    text += char(value >> 8 * i);
  return text;
}

// Fields of protocol buffers: a key (number and wire type), then the value.

std::string varint(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7)
    text += char(value | 0x80);
  return text + char(value);
}

std::string integerField(unsigned number, int64_t value) { return varint(number << 3) + varint(uint64_t(value)); }

std::string doubleField(unsigned number, double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return varint(number << 3 | 1) + littleEndian(bits, 8);
}

std::string floatField(unsigned number, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return varint(number << 3 | 5) + littleEndian(bits, 4);
}

std::string bytesField(unsigned number, const std::string &bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}

// tensorflow.Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
//                    SessionLog session_log = 7; }
// tensorflow.Summary { repeated Value { string tag = 1; float simple_value = 2; } value = 1; }
// tensorflow.SessionLog { SessionStatus status = 1; }, START being 1

std::string scalar(const std::string &tag, double value) {
  return bytesField(1, bytesField(1, tag) + floatField(2, float(value)));
}

std::string scalar(const std::string &tag, const std::optional<double> &value) {
  return value ? scalar(tag, *value) : "";
}

uint32_t maskedCrc(std::string_view bytes) {
  uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

} // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> made;
    for (uint32_t i = 0; i < 256; ++i) {
      made[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        made[i] = made[i] >> 1 ^ (made[i] & 1 ? 0x82f63b78u : 0);
    }
    return made;
  }();
  uint32_t crc = ~0u;
  for (char byte : bytes)
    crc = crc >> 8 ^ table[(crc ^ uint8_t(byte)) & 0xff];
  return ~crc;
}

void Events::remove(const std::string &folder) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto &entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().rfind(prefix, 0) == 0)
      found.push_back(entry.path());
  for (const std::filesystem::path &each : found)
    std::filesystem::remove(each, error);
}

Status Events::create(const std::string &folder, const std::string &metricName, int64_t resumedStep) {
  metric = metricName;
  std::error_code error;
  // Readers take the files of a folder in the order of their names; the number of seconds has ten digits until 2286.
  using namespace std::chrono;
  int64_t seconds = duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch()).count();
  do
    path = folder + "/" + prefix + std::to_string(seconds++) + ".rnn-train";
  while (std::filesystem::exists(path, error));
  file.reset(std::fopen(path.c_str(), "wb"));
  if (!file)
    return fileError("cannot write '" + path + "': " + std::strerror(errno));
  if (Status status = write(0, bytesField(3, "brain.Event:2")); status.failed())
    return status;
  return resumedStep == 0 ? Status::success() : write(resumedStep + 1, bytesField(7, integerField(1, 1)));
}

Status Events::write(int64_t step, const std::string &body) {
  using namespace std::chrono;
  double now = duration<double>(system_clock::now().time_since_epoch()).count();
  std::string event = doubleField(1, now) + integerField(2, step) + body, length = littleEndian(event.size(), 8);
  std::string record = length + littleEndian(maskedCrc(length), 4) + event + littleEndian(maskedCrc(event), 4);
  if (std::fwrite(record.data(), 1, record.size(), file.get()) != record.size() || std::fflush(file.get()) != 0)
    return fileError("cannot write '" + path + "': " + std::strerror(errno));
  return Status::success();
}

Status Events::append(const LogRow &row) {
  if (!file)
    return Status::success();
  std::string summary = scalar("epoch", double(row.epoch)) + scalar("frames", double(row.frames)) +
                        scalar("lr", row.lr) + scalar("loss", row.loss) + scalar("val_loss", row.valLoss);
  if (!metric.empty())
    summary += scalar(metric, row.metric) + scalar("val_" + metric, row.valMetric);
  summary += scalar("grad_norm", row.gradNorm) + scalar("frames_per_s", row.framesPerSecond) +
             scalar("skipped", double(row.skipped));
  return write(row.step, bytesField(5, summary));
}

Status Events::amend(const LogRow &row) {
  std::string summary = scalar("val_loss", row.valLoss);
  if (!metric.empty())
    summary += scalar("val_" + metric, row.valMetric);
  return file && !summary.empty() ? write(row.step, bytesField(5, summary)) : Status::success();
}

} // namespace mlir::rnn::train
