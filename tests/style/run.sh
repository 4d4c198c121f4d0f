#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Whether the tree is as tools/check.sh wants it, clang-tidy aside, which takes minutes; and whether
# tools/check.sh, in a tree of its own, finds what is to be found.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
log=$tree.log
trap 'rm -rf "$tree" "$log"' EXIT
trap 'exit 1' INT TERM HUP

passed=0 failed=0

pass() {
  passed=$((passed + 1))
}

fail() {
  failed=$((failed + 1))
  echo "FAILED: $1"
  cat "$log"
}

for tool in format shell python includes; do
  if "$root/tools/check.sh" --all $tool >"$log" 2>&1; then pass; else fail "--all $tool"; fi
done

mkdir -p "$tree/agent/base" "$tree/agent/model" "$tree/tools" "$tree/xdp" "$tree/build"
for file in .clang-format .clang-tidy xdp/.clang-format agent/meson.build tools/check.sh \
  tools/check-includes.py tools/tidy.py; do
  cp "$root/$file" "$tree/$file"
done
echo '/build/' >"$tree/.gitignore"
echo 'build all: phony' >"$tree/build/build.ninja"
cat >"$tree/build/compile_commands.json" <<END
[{"directory": "$tree/build", "file": "../agent/base/names.cpp",
  "command": "c++ -std=c++20 -I../agent -c ../agent/base/names.cpp"}]
END
cat >"$tree/agent/base/names.hpp" <<'END'
#pragma once

class Names {
 public:
  [[nodiscard]] int count() const { return count_; }

 private:
  int count_ = 0;
};
END
cat >"$tree/agent/base/names.cpp" <<'END'
#include "base/names.hpp"
END
printf '#!/bin/sh\nls "%s"\n' "\$1" >"$tree/tools/list.sh"

git_in_tree() {
  git -C "$tree" -c user.name=Tests -c user.email=tests@localhost "$@" >/dev/null
}
git_in_tree init --initial-branch=main
git_in_tree add .
git_in_tree commit -m "tree: what keeps to the rules"

# check NAME STATUS PATTERN ARGUMENT…: how tools/check.sh ends, and a line that it prints
check() {
  name=$1
  expected=$2
  pattern=$3
  shift 3
  status=0
  BUILD_DIR="$tree/build" "$tree/tools/check.sh" "$@" >"$log" 2>&1 || status=$?
  # Another version than the one that the tree is held to says nothing.
  if grep -q '^clang-[a-z]*: left out: ' "$log"; then
    echo "$name: $(grep '^clang-[a-z]*: left out: ' "$log")"
    pass
  elif [ "$status" = "$expected" ] && grep -q "$pattern" "$log"; then
    pass
  else
    fail "$name: it ended with $status rather than $expected, or does not say '$pattern'"
  fi
  git_in_tree checkout --quiet .
  git_in_tree clean -fd
}

check "a tree that keeps to the rules has no findings" 0 '^0 findings$' --all

echo 'int  main( ){}' >"$tree/agent/main.cpp"
check "C++ that is not formatted is found" 1 '^clang-format: 1 files, 1 findings$' format

printf 'static int one(void)\n{\n  return 1;\n}\n' >"$tree/xdp/one.h"
check "C with the indentation of C++ is found" 1 '^clang-format: 1 files, 1 findings$' format

printf '#!/bin/sh\nls %s\n' "\$1" >"$tree/tools/list.sh"
check "a variable without quotes is found" 1 'SC2086' shell

echo 'def' >"$tree/tools/wrong.py"
check "Python that does not compile is found" 1 '^python3: 1 files, 1 findings$' python

echo '#include "model/counts.hpp"' >>"$tree/agent/base/names.cpp"
check "an include that goes upward is found" 1 'base may not use model' includes

sed -i 's/count_/total/' "$tree/agent/base/names.hpp"
check "a private member without its mark is found, in a header" 1 'readability-identifier-naming' tidy

sed -i 's/int count_/int* count_/' "$tree/agent/base/names.hpp"
check "what does not compile is found" 1 'clang-diagnostic-error' tidy

echo 'int  main( ){}' >"$tree/agent/main.cpp"
git_in_tree add .
git_in_tree commit -m "tree: what does not keep to the rules"
check "what main has already is looked at with --all alone" 0 '^clang-format: 0 files, 0 findings$' format

# This is the summary of doctest, which tests/run.sh reads.
echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
[ $failed = 0 ]
