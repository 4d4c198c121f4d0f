#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Whether what is written keeps to the project's habits: format, clang-tidy, shellcheck, Python's syntax
# and the direction of includes. It looks at what has changed since the branch left main, or with --all
# at everything. It installs nothing, and changes nothing.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build_dir=$(realpath -m "${BUILD_DIR:-$root/build}")
known_tools="format tidy shell python includes"

usage() {
  cat <<END
usage: tools/check.sh [--all] [TOOL…]
  --all   everything, rather than what has changed since the branch left main
The tools are: $known_tools. Without a name: all of them. tidy takes a configured build directory:
BUILD_DIR, or build.
END
}

all=false
if [ "${1-}" = --all ]; then
  all=true
  shift
fi
for tool in "$@"; do
  case $tool in
    -h | --help) usage && exit ;;
  esac
  case " $known_tools " in
    *" $tool "*) ;;
    *) usage >&2 && exit 2 ;;
  esac
done
# shellcheck disable=SC2086 # the words of a list
if [ $# = 0 ]; then set -- $known_tools; fi

# What clang-format and clang-tidy say depends on their version: this one is Debian 12's.
llvm_version=14

cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

has_history() {
  git rev-parse --show-toplevel >"$work/top" 2>/dev/null && [ "$(cat "$work/top")" = "$root" ]
}

# Names relative to the root, one a line. An archive of the sources has no history: then these are
# all files.
list_files() {
  if ! has_history; then
    find . -path './build*' -prune -o -path ./.git -prune -o -type f -print | sed 's,^\./,,'
  elif $all; then
    git ls-files --cached --others --exclude-standard
  else
    base=HEAD
    for main in main origin/main; do
      if git rev-parse --quiet --verify "$main" >/dev/null; then
        base=$(git merge-base "$main" HEAD)
        break
      fi
    done
    git diff --name-only "$base"
    git ls-files --others --exclude-standard
  fi
}
# Files that a change takes away and symbolic links are left out.
list_files | sort -u | while read -r file; do
  if [ -f "$file" ] && [ ! -L "$file" ]; then echo "$file"; fi
done >"$work/files"

cxx_files() { grep -E '\.(cpp|hpp)$' "$work/files" || :; }
c_files() { grep -E '\.(c|h)$' "$work/files" || :; }
scripts() {
  xargs grep -alE '^#! */.*[/ ]sh\>' <"$work/files" | while read -r file; do
    if head -n 1 "$file" | grep -aq '^#!'; then echo "$file"; fi
  done
}
python_files() { grep '\.py$' "$work/files" || :; }

findings=0

# summary TOOL WHAT NUMBER
summary() {
  echo "$1: $2, $3 findings"
  findings=$((findings + $3))
}

# missing TOOL PACKAGE
missing() {
  summary "$1" "missing, and so nothing was looked at: it is in the package $2" 1
}

# find_llvm NAME: sets $program; fails, and says why, where there is none to go by.
find_llvm() {
  for program in "$1-$llvm_version" "$1"; do
    if ! command -v "$program" >/dev/null; then continue; fi
    version=$("$program" --version | sed -n 's/.*version \([0-9]*\).*/\1/p' | head -n 1)
    if [ "$version" = "$llvm_version" ]; then return; fi
  done
  if [ -z "${version-}" ]; then
    missing "$1" "$1"
  else
    summary "$1" "left out: this is version $version, and what holds is what $llvm_version says" 0
  fi
  return 1
}

# format_as STYLE, of the files named on standard input: all at once, and one by one where some differ.
format_as() {
  cat >"$work/to_format"
  if xargs -r "$program" --style="file:$1" --dry-run -Werror <"$work/to_format" 2>/dev/null; then
    return
  fi
  while read -r file; do
    "$program" --style="file:$1" "$file" | diff -u --label "$file" --label "$file, formatted" \
      "$file" - || echo "$file" >>"$work/misformatted"
  done <"$work/to_format"
}

check_format() {
  find_llvm clang-format || return 0
  : >"$work/misformatted"
  cxx_files | format_as .clang-format
  c_files | format_as xdp/.clang-format
  summary clang-format "$({ cxx_files && c_files; } | wc -l) files" "$(wc -l <"$work/misformatted")"
}

check_tidy() {
  find_llvm clang-tidy || return 0
  if [ ! -e "$build_dir/compile_commands.json" ]; then
    summary clang-tidy "there is no build in $build_dir to go by: tools/build.sh makes one" 1
    return
  fi
  # Without arguments it looks at everything, so there has to be one.
  if $all; then
    set --
  else
    # shellcheck disable=SC2046 # no name here has spaces
    set -- $(cxx_files)
    if [ $# = 0 ]; then
      summary clang-tidy "0 sources" 0
      return
    fi
  fi
  # The headers that are generated.
  skeletons=$(ninja -C "$build_dir" -t targets all | sed -n 's/^\(.*\.skel\.h\): .*/\1/p')
  # shellcheck disable=SC2086 # the words of a list
  ninja --quiet -C "$build_dir" $skeletons >"$work/report" 2>&1 || cat "$work/report"
  tools/tidy.py --program "$program" ${CHECK_JOBS:+--jobs "$CHECK_JOBS"} "$build_dir" "$@" \
    >"$work/report" 2>&1 || :
  cat "$work/report"
  found=$(sed -n '$s/^clang-tidy: .* \([0-9]*\) findings$/\1/p' "$work/report")
  findings=$((findings + ${found:-1}))
}

check_shell() {
  if ! command -v shellcheck >/dev/null; then
    missing shellcheck shellcheck
    return
  fi
  scripts >"$work/scripts"
  found=0
  xargs -r shellcheck --external-sources <"$work/scripts" >"$work/report" || {
    cat "$work/report"
    found=$(grep -c '^In .* line [0-9]*:$' "$work/report")
  }
  # Bash's completion has no first line that names a shell.
  if grep -qx tools/completion/xdp-count "$work/files"; then
    echo tools/completion/xdp-count >>"$work/scripts"
    shellcheck --shell=bash tools/completion/xdp-count || found=$((found + 1))
  fi
  summary shellcheck "$(wc -l <"$work/scripts") scripts" "$found"
}

check_python() {
  found=0
  for file in $(python_files); do
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" ||
      found=$((found + 1))
  done
  summary python3 "$(python_files | wc -l) files" "$found"
}

# The whole of agent/: it takes no time.
check_includes() {
  found=0
  tools/check-includes.py >"$work/report" || found=$(wc -l <"$work/report")
  [ "$found" = 0 ] || cat "$work/report"
  summary check-includes "the folders of agent/" "$found"
}

for tool in "$@"; do
  "check_$tool"
done
echo "$findings findings"
[ "$findings" = 0 ]
