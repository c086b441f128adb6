# common.sh - What scripts/demo and scripts/check share: packages, configuration, build.
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Read with `.`; expects `tool` (demo or check) and `steps` (how many steps there are), sets `root` and `build`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build="$root/build"
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1

# fail <message> [<note>]…
fail() {
  echo "$tool: error: $1" >&2
  shift
  for note in "$@"; do echo "note: $note" >&2; done
  exit 1
}

# heading <number> <name>: begins the line of a step, without its end.
heading() { printf '[%s/%s] %-10s ' "$1" "$steps" "$2"; }

# The packages that the toolchain named by MLIR_DIR makes superfluous.
is_llvm_package() { case "$1" in llvm-22* | libmlir-22* | mlir-22*) return 0 ;; esac; return 1; }

# present <package>: installed by dpkg, or, for a program, found on PATH.
present() {
  if [ -n "${MLIR_DIR:-}" ] && is_llvm_package "$1"; then return 0; fi
  case "$1" in
    cmake | ccache) command -v "$1" ;;
    g++) command -v g++ || command -v c++ ;;
    ninja-build) command -v ninja ;;
    xz-utils) command -v xz ;;
    graphviz) command -v dot ;;
    clang-format-22) command -v clang-format-22 || [ -x /usr/lib/llvm-22/bin/clang-format ] ;;
    python3) command -v python3 ;;
    *) command -v dpkg-query && [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
  esac >/dev/null 2>&1
}

# Installs what scripts/packages.txt names and this system lacks.
step_packages() {
  heading "$1" packages
  local missing=() package last
  while read -r package; do
    case "$package" in '' | '#'*) continue ;; esac
    present "$package" || missing+=("$package")
  done < "$root/scripts/packages.txt"
  if [ ${#missing[@]} = 0 ]; then
    echo "none missing"
    return
  fi
  local count="${#missing[@]} packages are" one="${missing[*]}"
  [ ${#missing[@]} = 1 ] && count="1 package is"
  if ! command -v apt-get >/dev/null; then
    # Without apt the names tell nothing: what the build needs is looked for by cmake.
    if command -v cmake >/dev/null && command -v ninja >/dev/null && command -v c++ >/dev/null; then
      echo "no apt-get; using what is there"
      return
    fi
    echo "${#missing[@]} missing: $one"
    fail "$count missing" \
      "this system has no apt-get; install: LLVM and MLIR 22 with headers, CMake >= 3.25, Ninja, a C++17 compiler"
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "${#missing[@]} missing: $one"
    local need="need"
    [ ${#missing[@]} = 1 ] && need="needs"
    fail "$count missing and $need root" "run: apt-get install -y $one"
  fi
  echo "${#missing[@]} missing: $one; installing with apt-get"
  mkdir -p "$build"
  local log="$build/apt.log"
  if ! apt-get install -y --no-install-recommends "${missing[@]}" > "$log" 2>&1 < /dev/null; then
    # The lists may be old or absent.
    apt-get update > "$log" 2>&1 < /dev/null
    if ! apt-get install -y --no-install-recommends "${missing[@]}" >> "$log" 2>&1 < /dev/null; then
      last=$(grep -v '^[[:space:]]*$' "$log" | tail -n 1)
      fail "could not install $one: $last"
    fi
  fi
}

# Configures build/ with Ninja; a folder that was configured already is left to ninja itself.
step_configure() {
  heading "$1" configure
  mkdir -p "$build"
  local log="$build/configure.log" arguments=(-G Ninja -DCMAKE_BUILD_TYPE=Release) text
  [ -n "${MLIR_DIR:-}" ] && arguments+=("-DMLIR_DIR=$MLIR_DIR")
  if ! cmake -S "$root" -B "$build" "${arguments[@]}" > "$log" 2>&1 &&
    # A folder that was configured for another MLIR remembers it.
    ! { [ -z "${MLIR_DIR:-}" ] && grep -q 'MLIR 22 is required' "$log" &&
      cmake -S "$root" -B "$build" -UMLIR_DIR -ULLVM_DIR "${arguments[@]}" > "$log" 2>&1; }; then
    echo "failed"
    text=$(tr -s '\n ' '  ' < "$log" | grep -o 'MLIR 22 is required, found .*note: set MLIR_DIR' | sed 's/ *note: set MLIR_DIR.*//')
    if [ -n "$text" ]; then
      local notes=("set MLIR_DIR to the cmake folder of MLIR 22")
      command -v apt-get >/dev/null ||
        notes=("this system has no apt-get; install: LLVM and MLIR 22 with headers, CMake >= 3.25, Ninja, a C++17 compiler" "${notes[@]}")
      fail "$text" "${notes[@]}"
    fi
    tail -n 30 "$log" >&2
    fail "cmake failed" "the whole output is in build/configure.log"
  fi
  local llvm compiler
  llvm=$(sed -n 's/^LLVM_DIR:[A-Z]*=//p' "$build/CMakeCache.txt")
  llvm=$(sed -n 's/^ *set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$llvm/LLVMConfigVersion.cmake" 2>/dev/null | head -n 1)
  compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
  echo "LLVM ${llvm:-22}, $(compiler_version "$compiler"), build/"
}

# `g++ 12.2.0` for any path of a compiler that answers -dumpfullversion.
compiler_version() {
  local name
  name=$(basename "$1")
  case "$("$1" --version 2>/dev/null | head -n 1)" in
    *clang*) name=clang++ ;;
    *g++* | *GCC* | *c++*) name=g++ ;;
  esac
  echo "$name $("$1" -dumpfullversion -dumpversion 2>/dev/null)"
}

# step_build <number> <target>…: builds, with one counter; keeps the whole output in build/build.log.
step_build() {
  local number=$1 line counter="" log="$build/build.log" status
  shift
  heading "$number" build
  : > "$log"
  while IFS= read -r line; do
    echo "$line" >> "$log"
    case "$line" in
      @*/*@*)
        counter=${line#@}
        counter=${counter%%@*}
        [ -t 1 ] && { printf '\r'; heading "$number" build; printf '%s ' "$counter"; }
        ;;
    esac
  done < <(NINJA_STATUS='@%f/%t@ ' ninja -C "$build" "$@" 2>&1; echo "exit $?")
  status=$(sed -n 's/^exit \([0-9]*\)$/\1/p' "$log" | tail -n 1)
  if [ "$status" != 0 ]; then
    if [ -t 1 ]; then echo; else echo "$counter"; fi
    sed -n '/^FAILED:/,$p' "$log" | grep -v '^exit ' | head -n 60 >&2
    fail "the build failed" "the whole output is in build/build.log"
  fi
  if [ -t 1 ] && [ -n "$counter" ]; then echo; else echo "${counter:-up to date}"; fi
}
