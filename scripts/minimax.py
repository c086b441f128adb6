#!/usr/bin/env python3
#===- minimax.py - coefficients of the math expansion ---------------------------------------===#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#===-----------------------------------------------------------------------------------------===#
"""Computes the polynomials of lib/Conversion/MathExpansion by Remez exchange in 60 digits.

    pip install mpmath && scripts/minimax.py > lib/Conversion/MathExpansion/Coefficients.inc

Each polynomial P minimises max |weight(x) * (function(x) - P(x))| over an interval. The weight turns the error of the
polynomial into the relative error of the result it serves, so that 2^-24 (f32) and 2^-53 (f64) are half an ulp. The
degree is the smallest one that meets the target; coefficients are then rounded to the element type.
"""
import struct

import mpmath as mp

mp.mp.dps = 60
LN2 = mp.log(2)
TINY = mp.mpf(10) ** -20  # below this, the limit at zero
FLOOR = mp.mpf(10) ** -4  # weights may not vanish at a reference point


def solve(function, weight, points, degree):
    """The polynomial whose weighted error is +e, -e, +e … at the points, and e."""
    rows = mp.matrix(degree + 2, degree + 2)
    rhs = mp.matrix(degree + 2, 1)
    for i, x in enumerate(points):
        for k in range(degree + 1):
            rows[i, k] = x**k
        rows[i, degree + 1] = (-1) ** i / weight(x)
        rhs[i] = function(x)
    solution = mp.lu_solve(rows, rhs)
    return [solution[k] for k in range(degree + 1)], abs(solution[degree + 1])


def remez(function, weight, low, high, degree, iterations=8, grid=1200):
    """The weighted minimax polynomial of a degree over [low, high] and the largest weighted error found."""
    xs = [low + (high - low) * (1 - mp.cos(mp.pi * i / grid)) / 2 for i in range(grid + 1)]
    values = [(function(x), weight(x)) for x in xs]
    count = degree + 2
    points = [low + (high - low) * (1 - mp.cos(mp.pi * i / (count - 1))) / 2 for i in range(count)]
    for _ in range(iterations):
        coefficients, level = solve(function, weight, points, degree)
        errors = [w * (f - mp.polyval(coefficients[::-1], x)) for x, (f, w) in zip(xs, values)]
        # One extremum per run of equal sign.
        extrema, start = [], 0
        for i in range(1, grid + 2):
            if i > grid or (errors[i] > 0) != (errors[start] > 0):
                extrema.append(max(range(start, i), key=lambda j: abs(errors[j])))
                start = i
        worst = max(abs(errors[i]) for i in extrema)
        while len(extrema) > count:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        if len(extrema) < count or worst < level * mp.mpf("1.01"):
            break
        points = [xs[i] for i in extrema]
    return coefficients, worst


def smallest(name, function, weight, low, high, target, start):
    """Prints the polynomial of the smallest degree whose weighted error stays below the target."""
    for type_name, bits in (("f32", target[0]), ("f64", target[1])):
        bound = high[0 if type_name == "f32" else 1]
        for degree in range(start[0 if type_name == "f32" else 1], 40):
            coefficients, error = remez(function, weight, low, bound, degree)
            if error < mp.mpf(2) ** -bits:
                break
        print(f"// {name}, {type_name}: degree {degree}, weighted error 2^{float(mp.log(error, 2)):.1f}")
        print(f"static const double {name}{type_name.upper()}[] = {{")
        for c in coefficients:
            value = struct.unpack("f", struct.pack("f", float(c)))[0] if type_name == "f32" else float(c)
            print(f"    {value.hex()},")
        print("};")


def two_part(name, value):
    """Prints a constant as a leading part rounded to the type and the rest."""
    high32 = struct.unpack("f", struct.pack("f", float(value)))[0]
    low32 = struct.unpack("f", struct.pack("f", float(value - mp.mpf(high32))))[0]
    print(f"static const double {name}F32[] = {{{high32.hex()}, {low32.hex()}}};")
    high64 = float(value)
    mid64 = float(value - mp.mpf(high64))
    low64 = float(value - mp.mpf(high64) - mp.mpf(mid64))
    print(f"static const double {name}F64[] = {{{high64.hex()}, {mid64.hex()}, {low64.hex()}}};")


def expm1_tail(r):
    return (mp.expm1(r) - r) / r**2 if abs(r) > TINY else mp.mpf(1) / 2 + r / 6


def atanh_tail(z):
    if z < TINY:
        return mp.mpf(2) / 3
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def erf_ratio(z):
    return mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1 if z > TINY else 2 / mp.sqrt(mp.pi) - 1


def sin_tail(z):
    r = mp.sqrt(z)
    return (mp.sin(r) - r) / r**3 if z > TINY else -mp.mpf(1) / 6


def cos_tail(z):
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2 if z > TINY else mp.mpf(1) / 24


def main():
    print("//===- Coefficients.inc - minimax polynomials ---------------------------------*- C++ -*-===//")
    print("//\n// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.")
    print("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n//")
    print("//===-------------------------------------------------------------------------------------===//")
    print("// Written by scripts/minimax.py; lowest power first. Do not edit.\n")
    half = LN2 / 2 * mp.mpf("1.0001")
    print("// exp(r) = 1 + r + r^2 P(r), |r| <= ln(2)/2; the weight is that of expm1(r).")
    smallest("kExp", expm1_tail, lambda r: max(abs(r), FLOOR), -half, (half, half), (26, 56), (3, 8))
    edge = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.0001")
    print("// log((1 + s) / (1 - s)) = 2 s + s^3 P(s^2), |s| <= (sqrt(2) - 1) / (sqrt(2) + 1).")
    smallest("kLog", atanh_tail, lambda z: max(z, FLOOR) / 2, mp.mpf(0), (edge, edge), (29, 58), (1, 5))
    print("// erf(x) = x + x P(x^2), |x| <= 1.")
    smallest("kErfSmall", erf_ratio, lambda z: 1 / (1 + erf_ratio(z)), mp.mpf(0), (mp.mpf(1), mp.mpf(1)), (28, 57), (4, 9))
    print("// erf(x) = 1 - exp(-P(x - 1)), 1 <= x <= 4 (f32) or 6 (f64).")
    smallest("kErfLarge", lambda u: -mp.log(mp.erfc(u + 1)), lambda u: mp.erfc(u + 1) / mp.erf(u + 1),
             mp.mpf(0), (mp.mpf(3), mp.mpf(5)), (27, 56), (4, 12))
    quarter = (mp.pi / 4 * mp.mpf("1.0001")) ** 2
    print("// sin(r) = r + r^3 P(r^2), cos(r) = 1 - r^2/2 + r^4 P(r^2), |r| <= pi/4.")
    smallest("kSin", sin_tail, lambda z: max(z, FLOOR), mp.mpf(0), (quarter, quarter), (28, 57), (1, 4))
    smallest("kCos", cos_tail, lambda z: max(z, FLOOR) ** 2 * mp.mpf("1.42"), mp.mpf(0), (quarter, quarter), (28, 57), (1, 4))
    print("// Constants: the leading part, then what rounding it left.")
    two_part("kLn2", LN2)
    two_part("kHalfPi", mp.pi / 2)


if __name__ == "__main__":
    main()
