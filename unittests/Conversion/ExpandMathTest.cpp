//===- ExpandMathTest.cpp - Error bounds of the math expansion --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles each expansion to machine code and compares it with the 80-bit
// functions of libm over dense samples and special values. The bounds are the
// published ones of rnn/Conversion/ExpandMath.h.
//
//===----------------------------------------------------------------------===//

#include "NativeCode.h"
#include "rnn/Conversion/ExpandMath.h"
#include "rnn/Conversion/Passes.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

using Reference = std::function<long double(long double)>;

struct Function {
  const char *name;
  const char *body; ///< %y from %x of type $V
  Reference reference;
  double bound[2]; ///< ulp, f32 and f64
  double limit;    ///< the domain tested is smallest <= |x| <= limit
  double smallest = 0;
};

long double sigmoidRef(long double x) { return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x)); }
long double softplusRef(long double x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }

const double kAll = std::numeric_limits<double>::infinity();

const Function kFunctions[] = {
    {"exp", "%y = math.exp %x : $V", expl, {1.1, 1}, kAll},
    {"log", "%y = math.log %x : $V", logl, {1.5, 1.5}, kAll},
    {"log1p", "%y = math.log1p %x : $V", log1pl, {2, 2}, kAll},
    {"tanh", "%y = math.tanh %x : $V", tanhl, {2, 2}, kAll},
    {"sigmoid",
     "%one = arith.constant dense<1.0> : $V\n%n = arith.negf %x : $V\n"
     "%e = math.exp %n : $V\n%s = arith.addf %one, %e : $V\n"
     "%y = arith.divf %one, %s : $V",
     sigmoidRef,
     {2.3, 2.3},
     kAll},
    {"softplus", "%y = math.floor %x : $V", softplusRef, {2, 2}, kAll},
    {"erf", "%y = math.erf %x : $V", erfl, {1.5, 1.5}, kAll},
    {"sin", "%y = math.sin %x : $V", sinl, {1, 1}, 0x1p50},
    {"cos", "%y = math.cos %x : $V", cosl, {1, 1}, 0x1p50},
    {"rsqrt", "%y = math.rsqrt %x : $V", [](long double x) { return 1 / sqrtl(x); }, {1.5, 1.5}, kAll},
    {"cube",
     "%c = arith.constant dense<3.0> : $V\n%y = math.powf %x, %c : $V",
     [](long double x) { return x * x * x; },
     {4, 4},
     kAll},
    {"inverse_square",
     "%c = arith.constant dense<-2.0> : $V\n%y = math.powf %x, %c : $V",
     [](long double x) { return 1 / (x * x); },
     {3, 3},
     1e15,
     1e-15},
    {"power",
     "%c = arith.constant dense<1.75> : $V\n%y = math.powf %x, %c : $V",
     [](long double x) { return powl(x, 1.75L); },
     {1, 20},
     1e3,
     1e-3},
};

std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// void name(const T *in, T *out, int64_t count): count is a multiple of 8.
std::string functionText(const Function &function, bool isDouble) {
  std::string text = R"(
  func.func @$N(%in: !llvm.ptr, %out: !llvm.ptr, %count: i64) {
    %zero = arith.constant 0 : i64
    %step = arith.constant 8 : i64
    scf.for %i = %zero to %count step %step : i64 {
      %from = llvm.getelementptr %in[%i] : (!llvm.ptr, i64) -> !llvm.ptr, $T
      %to = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, $T
      %x = llvm.load %from {alignment = 4 : i64} : !llvm.ptr -> $V
      $B
      llvm.store %y, %to {alignment = 4 : i64} : $V, !llvm.ptr
    }
    return
  })";
  text = replaceAll(text, "$N", std::string(function.name) + (isDouble ? "_f64" : "_f32"));
  text = replaceAll(text, "$B", function.body);
  text = replaceAll(text, "$V", isDouble ? "vector<8xf64>" : "vector<8xf32>");
  return replaceAll(text, "$T", isDouble ? "f64" : "f32");
}

/// Distance of `got` from the exact value, in units in the last place there.
template <typename T>
double ulpError(T got, long double exact) {
  if (std::isnan(exact))
    return std::isnan(got) ? 0 : 1e30;
  const long double max = std::numeric_limits<T>::max();
  if (std::isinf(got) || fabsl(exact) > max) {
    // Overflow may happen one unit early or late.
    const long double edge = max * (1 + std::numeric_limits<T>::epsilon());
    long double value = std::isinf(got) ? copysignl(edge, got) : static_cast<long double>(got);
    long double target = fabsl(exact) > edge ? copysignl(edge, exact) : exact;
    return fabsl(value - target) / (max * std::numeric_limits<T>::epsilon());
  }
  if (std::isnan(got))
    return 1e30;
  int exponent = exact == 0 ? std::numeric_limits<T>::min_exponent : std::ilogb(exact) + 1;
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  return fabsl(got - exact) / ldexpl(1, exponent - std::numeric_limits<T>::digits);
}

template <typename T, typename Bits>
std::vector<T> samples(const Function &function, Bits stride) {
  std::vector<T> result = {0,
                           -T(0),
                           1,
                           -1,
                           std::numeric_limits<T>::infinity(),
                           -std::numeric_limits<T>::infinity(),
                           std::numeric_limits<T>::quiet_NaN(),
                           std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::denorm_min(),
                           -std::numeric_limits<T>::denorm_min(),
                           std::numeric_limits<T>::max(),
                           std::numeric_limits<T>::lowest()};
  // Every exponent, both signs.
  for (Bits bits = 0, count = Bits(-1) / stride; count; --count) {
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    result.push_back(value);
    bits += stride;
  }
  // Where the functions bend.
  std::mt19937_64 random(7);
  for (double range : {1.0, 4.0, 20.0, 110.0, 760.0})
    for (int i = 0; i < 100000; ++i)
      result.push_back(std::uniform_real_distribution<double>(-range, range)(random));
  for (int i = 0; i < 100000; ++i)
    result.push_back(std::uniform_real_distribution<double>(0.5, 2.0)(random));
  llvm::erase_if(result, [&](T x) { return std::fabs(x) > function.limit || std::fabs(x) < function.smallest; });
  while (result.size() % 8)
    result.push_back(1);
  return result;
}

class ExpandMath : public ::testing::Test {
protected:
  /// Compiles all functions at once, for one vector width.
  static NativeCode &code() {
    static std::unique_ptr<MLIRContext> context = makeContext();
    static std::unique_ptr<NativeCode> code;
    if (code)
      return *code;
    std::string text;
    for (const Function &function : kFunctions)
      text += functionText(function, false) + functionText(function, true);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
    // No operation of the math dialect is a softplus: floor stands for it.
    module->walk([](math::FloorOp op) {
      OpBuilder builder(op);
      op.replaceAllUsesWith(buildSoftplus(builder, op.getLoc(), op.getOperand()));
      op.erase();
    });
    PassManager manager(context.get());
    manager.addPass(createExpandMath());
    EXPECT_TRUE(succeeded(manager.run(*module)));
    code = std::make_unique<NativeCode>(*module, testTarget());
    return *code;
  }

  template <typename T>
  void check(const Function &function, const std::vector<T> &in) {
    bool isDouble = sizeof(T) == 8;
    std::string name = std::string(function.name) + (isDouble ? "_f64" : "_f32");
    auto *run = code().symbol<void(const T *, T *, int64_t)>(name);
    ASSERT_NE(run, nullptr);
    std::vector<T> out(in.size());
    run(in.data(), out.data(), in.size());
    double worst = 0;
    T where = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      long double exact = function.reference(in[i]);
      double error = ulpError(out[i], exact);
      if (error > worst) {
        worst = error;
        where = in[i];
      }
      if (exact == 0 && in[i] == 0) {
        EXPECT_EQ(std::signbit(out[i]), std::signbit(exact)) << name;
      }
    }
    RecordProperty(name, std::to_string(worst));
    printf("    %-20s %.3f ulp at %a\n", name.c_str(), worst, double(where));
    EXPECT_LE(worst, function.bound[isDouble]) << name << " at " << where;
  }
};

TEST_F(ExpandMath, ErrorBoundsF32) {
  for (const Function &function : kFunctions)
    check(function, samples<float, uint32_t>(function, 4001));
}

TEST_F(ExpandMath, ErrorBoundsF64) {
  for (const Function &function : kFunctions)
    check(function, samples<double, uint64_t>(function, uint64_t(0x10000f0e3d2c1)));
}

TEST_F(ExpandMath, UnknownFunctionIsAnError) {
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      "func.func @f(%x: f32) -> f32 { %y = math.atan %x : f32 return %y : f32 }", context.get());
  std::string message;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  PassManager manager(context.get());
  manager.addPass(createExpandMath());
  EXPECT_TRUE(failed(manager.run(*module)));
  EXPECT_EQ(message, "'math.atan' op has no expansion into plain arithmetic");
}

} // namespace
