//===- ProductTest.cpp - Generated matrix products --------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NativeCode.h"
#include "rnn/Conversion/RNNToLoops/Memory.h"
#include "rnn/Conversion/RNNToCPU/Product.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/TypeUtilities.h"
#include "gtest/gtest.h"

#include <chrono>
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

struct Shape {
  int64_t rows, columns, depth;
  bool dynamic = false;    ///< rows and depth given at run time
  bool transposed = false; ///< rhs is stored [columns, depth] and packed
  bool accumulate = false;
  bool lhsTransposed = false; ///< lhs is stored [depth, rows]
};

using Kernel = void(const void *, const void *, void *, void *, int64_t rows, int64_t depth, int64_t thread,
                    int64_t threads);

/// Builds `product` (and `pack`) for a shape.
OwningOpRef<ModuleOp> build(MLIRContext *context, Type element, const Shape &shape, const HostTarget &target,
                            bool epilogue) {
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  HostMachine machine = *describeHost(target, loc);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = builder.getI64Type();
  ProductTiling tiling =
      ProductTiling::choose(machine.vectorBits, element, shape.dynamic ? 0 : shape.rows, shape.columns);
  for (bool pack : {true, false}) {
    builder.setInsertionPointToEnd(module->getBody());
    auto function =
        func::FuncOp::create(builder, loc, pack ? "pack" : "product",
                             builder.getFunctionType({pointer, pointer, pointer, pointer, i64, i64, i64, i64}, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    auto argument = [&](unsigned i) -> Value {
      return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), function.getArgument(i));
    };
    auto memory = [&](unsigned i) { return buildMemRefFromPointer(builder, loc, function.getArgument(i), element); };
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    ThreadIds ids{argument(6), argument(7)};
    if (pack) {
      MatrixView source{memory(1), zero, 1, shape.depth};
      emitPack(builder, loc, element, source, shape.depth, shape.columns, memory(3), zero, tiling, ids);
    } else {
      Product product;
      product.element = element;
      product.rows = shape.dynamic ? Extent(argument(4)) : Extent(shape.rows);
      product.depth = shape.dynamic ? Extent(argument(5)) : Extent(shape.depth);
      product.columns = shape.columns;
      product.lhs = shape.lhsTransposed ? MatrixView{memory(0), zero, 1, shape.rows}
                                        : MatrixView{memory(0), zero, shape.depth, 1};
      product.rhs = {memory(shape.transposed ? 3 : 1), zero, shape.columns, 1};
      product.result = {memory(2), zero, shape.columns, 1};
      product.rhsPacked = shape.transposed;
      product.accumulate = shape.accumulate;
      product.tiling = tiling;
      if (epilogue)
        product.epilogue = [](OpBuilder &b, Location l, Value, Value, Value result, Value) -> Value {
          return isa<FloatType>(getElementTypeOrSelf(result.getType()))
                     ? Value(arith::AddFOp::create(b, l, result, result))
                     : Value(arith::AddIOp::create(b, l, result, result));
        };
      emitProduct(builder, loc, product, ids);
    }
    func::ReturnOp::create(builder, loc);
  }
  return module;
}

template <typename T>
Type elementOf(MLIRContext *context) {
  Builder builder(context);
  if (std::is_same_v<T, float>)
    return builder.getF32Type();
  if (std::is_same_v<T, double>)
    return builder.getF64Type();
  return builder.getIntegerType(8 * sizeof(T));
}

/// Runs a shape over a number of threads and returns the result.
template <typename T>
std::vector<T> run(NativeCode &code, const Shape &shape, int64_t threads, const std::vector<T> &a,
                   const std::vector<T> &b, std::vector<T> c) {
  auto *product = code.symbol<Kernel>("product");
  auto *pack = code.symbol<Kernel>("pack");
  EXPECT_NE(product, nullptr);
  if (!product)
    return c;
  std::vector<T> packed((shape.columns + 256) * shape.depth);
  for (int64_t thread = 0; thread < threads; ++thread)
    pack(a.data(), b.data(), c.data(), packed.data(), shape.rows, shape.depth, thread, threads);
  for (int64_t thread = threads; thread-- > 0;)
    product(a.data(), b.data(), c.data(), packed.data(), shape.rows, shape.depth, thread, threads);
  return c;
}

template <typename T>
void checkShape(const Shape &shape, bool wide) {
  std::unique_ptr<MLIRContext> context = makeContext();
  HostTarget target = testTarget(wide);
  bool epilogue = shape.rows % 2;
  NativeCode code(*build(context.get(), elementOf<T>(context.get()), shape, target, epilogue), target);
  std::mt19937 random(3);
  auto fill = [&](int64_t count) {
    std::vector<T> values(count);
    for (T &value : values)
      value = std::is_integral_v<T> ? T(uint32_t(random()) * 48271u) : T(int(random() % 2001) - 1000) / 1000;
    return values;
  };
  std::vector<T> a = fill(shape.rows * shape.depth);
  std::vector<T> b = fill(shape.depth * shape.columns);
  std::vector<T> c = fill(shape.rows * shape.columns);
  std::vector<T> once = run(code, shape, 1, a, b, c);
  EXPECT_EQ(once, run(code, shape, 3, a, b, c));

  using Wide = std::conditional_t<std::is_integral_v<T>, uint64_t, long double>;
  const double unit = std::numeric_limits<T>::epsilon();
  for (int64_t i = 0; i < shape.rows; ++i)
    for (int64_t j = 0; j < shape.columns; ++j) {
      Wide sum = shape.accumulate ? c[i * shape.columns + j] : 0;
      double magnitude = std::fabs(double(sum));
      for (int64_t k = 0; k < shape.depth; ++k) {
        Wide left = shape.lhsTransposed ? a[k * shape.rows + i] : a[i * shape.depth + k];
        Wide right = shape.transposed ? b[j * shape.depth + k] : b[k * shape.columns + j];
        sum += left * right;
        magnitude += std::fabs(double(left) * double(right));
      }
      if (epilogue)
        sum += sum;
      T got = once[i * shape.columns + j];
      if constexpr (std::is_integral_v<T>)
        ASSERT_EQ(got, T(sum)) << i << ", " << j;
      else
        ASSERT_LE(std::fabs(double(got - sum)), (shape.depth + 2) * unit * 2 * magnitude)
            << i << ", " << j << " of " << shape.rows << "x" << shape.columns << "x" << shape.depth;
    }
}

const Shape kShapes[] = {
    {1, 1, 1},
    {1, 64, 64},
    {1, 100, 37, false, true},
    {2, 33, 5, false, true, true},
    {5, 48, 16},
    {6, 64, 20, true, true},
    {16, 130, 24, false, true},
    {13, 31, 9, true},
    {200, 7, 3, true, false, true},
    {97, 65, 40, true, false, false, true},
    {7, 20, 1500, true, false, false, true},
    {8, 17, 1100, false, false, true, true},
};

class ProductTest : public ::testing::TestWithParam<bool> {};

TEST_P(ProductTest, F32) {
  for (const Shape &shape : kShapes)
    checkShape<float>(shape, GetParam());
}
TEST_P(ProductTest, F64) {
  for (const Shape &shape : kShapes)
    checkShape<double>(shape, GetParam());
}
TEST_P(ProductTest, WrapAroundIntegers) {
  for (const Shape &shape : kShapes) {
    checkShape<int32_t>(shape, GetParam());
    checkShape<int64_t>(shape, GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Width, ProductTest, ::testing::Bool());

/// Not a test of correctness: prints the rate, and fails far below the floor.
TEST(ProductRate, OneCore) {
  for (bool wide : {false, true})
    for (const Shape &shape :
         {Shape{768, 512, 512, true, true}, Shape{768, 512, 512, true}, Shape{16, 1024, 256, false, true},
          Shape{1, 1024, 256, false, true}, Shape{512, 512, 2048, true, false, false, true}}) {
      std::unique_ptr<MLIRContext> context = makeContext();
      HostTarget target = testTarget(wide);
      NativeCode code(*build(context.get(), Float32Type::get(context.get()), shape, target, false), target);
      auto *product = code.symbol<Kernel>("product");
      ASSERT_NE(product, nullptr);
      std::vector<float> a(shape.rows * shape.depth, 1), b((shape.columns + 256) * shape.depth, 1),
          c(shape.rows * shape.columns);
      double best = 1e30;
      int64_t repeat = 1 + 200000000 / (shape.rows * shape.columns * shape.depth);
      for (int i = 0; i < 5; ++i) {
        auto start = std::chrono::steady_clock::now();
        for (int64_t n = 0; n < repeat; ++n)
          product(a.data(), b.data(), c.data(), b.data(), shape.rows, shape.depth, 0, 1);
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      }
      double rate = 2e-9 * shape.rows * shape.columns * shape.depth * repeat / best;
      printf("    %-10s %4ld x %4ld x %4ld: %6.1f GFLOP/s\n", target.cpu.c_str(), long(shape.rows), long(shape.columns),
             long(shape.depth), rate);
      EXPECT_GT(rate, 1.0);
    }
}

} // namespace
