//===- Log.cpp - log.csv and loss.svg -------------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/Log.h"
#include "rnn/Runtime/AtomicFile.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unistd.h>

namespace mlir::rnn::train {
namespace {

using namespace runtime;

constexpr double svgWidth = 720, svgHeight = 400, marginLeft = 60, marginRight = 20, marginTop = 36, marginBottom = 44;
constexpr size_t maxPoints = 600;

std::string cell(const std::optional<double> &value) { return value ? exactNumber(*value) : ""; }

std::string rounded(double value, const char *format = "%.1f") {
  char text[40];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

std::vector<std::string> splitRow(const std::string &row) {
  std::vector<std::string> cells;
  for (size_t begin = 0; begin <= row.size();) {
    size_t end = std::min(row.find(',', begin), row.size());
    cells.push_back(row.substr(begin, end - begin));
    begin = end + 1;
  }
  return cells;
}

std::string joinRow(const std::vector<std::string> &cells) {
  std::string row;
  for (const std::string &cell : cells)
    row += (&cell == &cells.front() ? "" : ",") + cell;
  return row + "\n";
}

/// Text as XML.
std::string escaped(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}

/// A round step that divides the range into about `parts` parts: 1, 2 or 5 times
/// a power of ten.
double tickStep(double range, int parts) {
  double raw = range / parts, power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power)
      return factor * power;
  return 10 * power;
}

} // namespace

std::string exactNumber(double value) {
  if (std::isnan(value))
    return "nan"; // whatever its sign
  char text[40];
  // A value that came from f32 is written as f32: 0.1, not 0.10000000149011612.
  if (double(float(value)) == value)
    return std::string(text, std::to_chars(text, text + sizeof(text), float(value)).ptr);
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

std::string Log::header() const {
  std::string columns = "step,epoch,frames,lr,loss,val_loss,";
  if (!metric.empty())
    columns += metric + ",val_" + metric + ",";
  return columns + "grad_norm,frames_per_s,skipped\n";
}

std::string Log::format(const LogRow &row) const {
  std::string text = std::to_string(row.step) + "," + std::to_string(row.epoch) + "," + std::to_string(row.frames) +
                     "," + exactNumber(row.lr) + "," + exactNumber(row.loss) + "," + cell(row.valLoss) + ",";
  if (!metric.empty())
    text += cell(row.metric) + "," + cell(row.valMetric) + ",";
  return text + exactNumber(row.gradNorm) + "," + rounded(row.framesPerSecond, "%.0f") + "," +
         std::to_string(row.skipped) + "\n";
}

Status Log::failure() const { return fileError("cannot write '" + path + "': " + std::strerror(errno)); }

Status Log::create(const std::string &where, const std::string &metricName) {
  path = where;
  metric = metricName;
  file.reset(std::fopen(path.c_str(), "w"));
  if (!file || std::fputs(header().c_str(), file.get()) < 0)
    return failure();
  return Status::success();
}

Status Log::resume(const std::string &where, const std::string &metricName, int64_t step, bool keepValidation) {
  path = where;
  metric = metricName;
  std::string text, kept = header();
  if (Status status = readFile(path, text); status.failed())
    return status;
  for (size_t begin = std::min(text.find('\n'), text.size() - 1) + 1; begin < text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos)
      break;
    std::vector<std::string> cells = splitRow(text.substr(begin, end - begin));
    begin = end + 1;
    int64_t number = std::strtoll(cells[0].c_str(), nullptr, 10);
    if (number > step || cells.size() < 9)
      break;
    if (number == step && !keepValidation)
      cells[5] = cells[metric.empty() ? 5 : 7] = "";
    LogRow row;
    row.step = number;
    row.loss = std::strtod(cells[4].c_str(), nullptr);
    if (!cells[5].empty())
      row.valLoss = std::strtod(cells[5].c_str(), nullptr);
    remember(row);
    kept += joinRow(cells);
  }
  if (Status status = writeFileAtomically(path, kept); status.failed())
    return status;
  return reopen();
}

Status Log::reopen() {
  file.reset(std::fopen(path.c_str(), "a"));
  return file ? Status::success() : failure();
}

Status Log::amend(const LogRow &row) {
  if (Status status = sync(); status.failed())
    return status;
  std::string text;
  if (Status status = readFile(path, text); status.failed())
    return status;
  size_t begin = text.rfind('\n', text.size() - 2) + 1;
  std::vector<std::string> cells = splitRow(text.substr(begin, text.size() - 1 - begin));
  cells[5] = cell(row.valLoss);
  if (!metric.empty())
    cells[7] = cell(row.valMetric);
  text.resize(begin);
  text += joinRow(cells);
  rememberValidation(row);
  if (Status status = writeFileAtomically(path, text); status.failed())
    return status;
  return reopen();
}

/// A value as whoever reads it from the log has it, so that a run that goes on draws what one without a break does:
/// 0.1 for the f32 that is nearest to it.
static double asLogged(double value) { return std::strtod(exactNumber(value).c_str(), nullptr); }

void Log::remember(const LogRow &row) {
  if (std::isfinite(row.loss))
    losses.push_back({double(row.step), asLogged(row.loss)});
  rememberValidation(row);
}

void Log::rememberValidation(const LogRow &row) {
  validated = row.valLoss.has_value();
  if (row.valLoss && std::isfinite(*row.valLoss))
    valLosses.push_back({double(row.step), asLogged(*row.valLoss)});
}

Status Log::append(const LogRow &row) {
  remember(row);
  return std::fputs(format(row).c_str(), file.get()) < 0 ? failure() : Status::success();
}

Status Log::sync() {
  if (std::fflush(file.get()) != 0 || ::fsync(::fileno(file.get())) != 0)
    return failure();
  return Status::success();
}

std::string Log::svg(const std::string &title) const {
  double lastStep = 1, low = HUGE_VAL, high = -HUGE_VAL;
  // Means over equal ranges of steps keep the picture small and calm.
  std::vector<Point> shown;
  size_t bucket = (losses.size() + maxPoints - 1) / maxPoints;
  for (size_t i = 0; bucket && i < losses.size(); i += bucket) {
    size_t end = std::min(i + bucket, losses.size());
    Point mean = {0, 0};
    for (size_t j = i; j < end; ++j)
      mean = {mean.step + losses[j].step / double(end - i), mean.loss + losses[j].loss / double(end - i)};
    shown.push_back(mean);
  }
  for (const std::vector<Point> *line : std::initializer_list<const std::vector<Point> *>{&shown, &valLosses})
    for (const Point &point : *line) {
      lastStep = std::max(lastStep, point.step);
      low = std::min(low, point.loss);
      high = std::max(high, point.loss);
    }
  if (low > high)
    low = 0, high = 1;
  if (high - low < 1e-9)
    low -= 0.5, high += 0.5;
  double lossStep = tickStep(high - low, 5), stepStep = tickStep(lastStep, 6);
  low = std::floor(low / lossStep) * lossStep;
  high = std::ceil(high / lossStep) * lossStep;
  double width = svgWidth - marginLeft - marginRight, height = svgHeight - marginTop - marginBottom;
  auto x = [&](double step) { return marginLeft + width * step / lastStep; };
  auto y = [&](double loss) { return marginTop + height * (high - loss) / (high - low); };

  std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"400\" viewBox=\"0 0 720 400\" "
                     "font-family=\"sans-serif\" font-size=\"12\">\n"
                     "<rect width=\"720\" height=\"400\" fill=\"#ffffff\"/>\n";
  text += "<text x=\"60\" y=\"22\" font-size=\"14\">" + escaped(title) + "</text>\n";
  for (int i = 0; low + i * lossStep <= high + lossStep / 2; ++i) {
    double loss = low + i * lossStep;
    text += "<line x1=\"60\" x2=\"700\" y1=\"" + rounded(y(loss)) + "\" y2=\"" + rounded(y(loss)) +
            "\" stroke=\"#dddddd\"/>\n<text x=\"54\" y=\"" + rounded(y(loss) + 4) + "\" text-anchor=\"end\">" +
            rounded(loss, "%.4g") + "</text>\n";
  }
  for (int i = 0; i * stepStep <= lastStep; ++i)
    text += "<text x=\"" + rounded(x(i * stepStep)) + "\" y=\"374\" text-anchor=\"middle\">" +
            rounded(i * stepStep, "%.0f") + "</text>\n";
  text += "<text x=\"380\" y=\"392\" text-anchor=\"middle\">step</text>\n";
  auto drawLine = [&](const std::vector<Point> &points, const char *colour, bool dots) {
    if (points.empty())
      return;
    text += std::string("<polyline fill=\"none\" stroke=\"") + colour + "\" stroke-width=\"1.5\" points=\"";
    for (const Point &point : points)
      text += rounded(x(point.step)) + "," + rounded(y(point.loss)) + " ";
    text.back() = '"';
    text += "/>\n";
    for (const Point &point : points)
      if (dots)
        text += "<circle cx=\"" + rounded(x(point.step)) + "\" cy=\"" + rounded(y(point.loss)) + "\" r=\"3\" fill=\"" +
                colour + "\"/>\n";
  };
  drawLine(shown, "#0072b2", false);
  drawLine(valLosses, "#d55e00", true);
  text += "<text x=\"690\" y=\"22\" text-anchor=\"end\" fill=\"#0072b2\">loss</text>\n";
  if (!valLosses.empty())
    text += "<text x=\"650\" y=\"22\" text-anchor=\"end\" fill=\"#d55e00\">val_loss</text>\n";
  return text + "</svg>\n";
}

} // namespace mlir::rnn::train
