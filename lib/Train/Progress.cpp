//===- Progress.cpp - Progress of a run -----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace mlir::rnn::train {
namespace {

std::string format(const char *pattern, double value) {
  char text[48];
  std::snprintf(text, sizeof(text), pattern, value);
  return text;
}

} // namespace

std::string progressBar(double fraction) {
  static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  constexpr int cells = 10;
  int eighths = int(std::clamp(fraction, 0.0, 1.0) * cells * 8);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i)
    text += "█";
  text += parts[eighths % 8];
  int used = eighths / 8 + (eighths % 8 != 0);
  return text + std::string(size_t(cells - used), ' ');
}

std::string clockText(double seconds) {
  int64_t whole = int64_t(std::max(seconds, 0.0));
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof(text), "%lld:%02d:%02d", (long long)(whole / 3600), int(whole / 60 % 60),
                  int(whole % 60));
  else
    std::snprintf(text, sizeof(text), "%02d:%02d", int(whole / 60), int(whole % 60));
  return text;
}

Progress::Progress(bool quiet, int64_t logEvery)
    : quiet(quiet), terminal(::isatty(STDERR_FILENO) != 0), logEvery(logEvery), start(Clock::now()),
      lastDrawn(start - std::chrono::hours(1)), lastMeasured(start) {}

void Progress::measure(const ProgressState &state) {
  Clock::time_point now = Clock::now();
  double seconds = std::chrono::duration<double>(now - lastMeasured).count();
  bool first = measuredFrames < 0;
  bool due = seconds >= 0.25 || framesPerSecond == 0 || (!terminal && state.step % logEvery == 0);
  if (!first && !due)
    return;
  if (!first && seconds > 0)
    framesPerSecond = double(state.frames - measuredFrames) / seconds;
  measuredFrames = state.frames;
  lastMeasured = now;
}

void Progress::step(const ProgressState &state) {
  if (firstStep < 0)
    firstStep = state.step - 1;
  measure(state);
  if (quiet)
    return;
  if (terminal)
    return bar(state);
  if (state.step % logEvery != 0)
    return;
  std::string text = "step " + std::to_string(state.step) + "/" + std::to_string(state.totalSteps) + " epoch " +
                     std::to_string(state.epoch) + " loss " + format("%.4f", state.loss);
  if (state.metric)
    text += " " + state.metricName + " " + format("%.4f", *state.metric);
  text += " lr " + format("%g", state.lr) + " grad_norm " + format("%.2f", state.gradNorm) + " frames/s " +
          format("%.0f", framesPerSecond);
  std::fprintf(stderr, "%s\n", text.c_str());
}

void Progress::bar(const ProgressState &state) {
  Clock::time_point now = Clock::now();
  bool last = state.stepInEpoch == state.stepsInEpoch || state.step == state.totalSteps;
  if (!last && now - lastDrawn < std::chrono::milliseconds(100))
    return;
  lastDrawn = now;
  double elapsed = std::chrono::duration<double>(now - start).count();
  double rate = elapsed > 0 ? double(state.step - firstStep) / elapsed : 0;
  double left = rate > 0 ? double(state.stepsInEpoch - state.stepInEpoch) / rate : 0;
  double fraction = double(state.stepInEpoch) / double(std::max<int64_t>(state.stepsInEpoch, 1));
  std::string text = "epoch " + std::to_string(state.epoch) + "/" + std::to_string(state.epochs) + ": " +
                     format("%3.0f", 100 * fraction) + "%|" + progressBar(fraction) + "| " +
                     std::to_string(state.stepInEpoch) + "/" + std::to_string(state.stepsInEpoch) + " [" +
                     clockText(elapsed) + "<" + clockText(left) + ", " + format("%.2f", rate) +
                     "step/s, loss=" + format("%.2f", state.loss);
  if (state.metric)
    text += ", " + state.metricName + "=" + format("%.2f", *state.metric);
  text += ", lr=" + format("%g", state.lr) + "]";
  std::fprintf(stderr, "\r%s\033[K", text.c_str());
  drawn = true;
}

void Progress::clear() {
  if (drawn)
    std::fputc('\n', stderr);
  drawn = false;
  lastDrawn = Clock::now() - std::chrono::hours(1);
}

void Progress::line(const std::string &text) {
  if (quiet)
    return;
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void Progress::validation(int64_t step, double loss, const std::string &metricName, std::optional<double> metric,
                          bool best) {
  std::string text = "val step " + std::to_string(step) + " val_loss " + format("%.4f", loss);
  if (metric)
    text += " val_" + metricName + " " + format("%.4f", *metric);
  line(text + (best ? " best" : ""));
}

} // namespace mlir::rnn::train
