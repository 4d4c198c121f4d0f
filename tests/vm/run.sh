#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs test suites in virtual machines, on other kernels than this machine's.
set -eu

usage() {
  cat <<END
usage: tests/vm/run.sh KERNEL… [-- OPTION…]
Boots each of Debian's kernels whose version begins with KERNEL, such as 6.1 or 6.12, and runs the
suites bpf and e2e, without what takes minutes there or is about no kernel, and vm in it. OPTIONs are
doctest's, for all suites, and choose from all tests: -tc='*dispatcher*'. Prints a line per kernel,
suite and mode. Needs what tools/install-deps.sh --vm installs, and the project built in BUILD_DIR, or
build at its root; there vm/KERNEL.output has what the tests printed, and vm/KERNEL.console what the
kernel did.
END
}

kernels=
while [ $# != 0 ] && [ "$1" != -- ]; do
  case $1 in
    -h | --help) usage && exit ;;
    [0-9]*) kernels="$kernels $1" ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
[ -n "$kernels" ] || { usage >&2 && exit 2; }
if [ $# != 0 ]; then shift; fi

here=$(cd "$(dirname "$0")" && pwd)
build_dir=$(cd "${BUILD_DIR:-$here/../../build}" && pwd)
state=$build_dir/vm
mkdir -p "$state"

# Seconds that a suite may take in there, and the guest as a whole: some four times what they
# take on an idle machine without KVM.
suite_limit=800
guest_limit=2600

guests=
clean_up() {
  trap '' INT TERM HUP
  # shellcheck disable=SC2086 # one word for each
  if [ -n "$guests" ]; then kill $guests 2>/dev/null || :; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A word for a shell to read.
quoted() {
  printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# suite NAME [EXCLUDED [OPTIONS…]]: what the guest is to run, by mode where a test's name has one; all at
# once when tests were chosen by hand. EXCLUDED are doctest's patterns of tests' names.
suite() {
  name=$1
  excluded=${2-}
  executable=$build_dir/tests/$name/$name-tests
  if [ $# -gt 2 ]; then shift 2; else shift $#; fi
  words=
  for word in "$@"; do words="$words $(quoted "$word")"; done
  if [ -n "$chosen" ]; then
    echo "run $name - $suite_limit $executable$chosen"
  elif [ "$name" = bpf ]; then
    echo "run $name - $suite_limit $executable$words '-tce=$excluded'"
  else
    echo "run $name native $suite_limit $executable$words '-tc=*::Native>' '-tce=$excluded'"
    echo "run $name generic $suite_limit $executable$words '-tc=*::Generic>' '-tce=$excluded'"
    echo "run $name - $suite_limit $executable$words '-tce=*::Native>,*::Generic>,$excluded'"
  fi
}
chosen=
for word in "$@"; do chosen="$chosen $(quoted "$word")"; done
{
  # Tests are left out that take minutes without a processor's help, or need a client that keeps up.
  # Those of e2e are chosen that depend on the kernel, which files, sockets, terminals and the
  # protocol do not.
  suite bpf "$(paste -s -d , - <<END
*more sources than hot slots*
many sources of which*
sources are spread over*
a source that finds*
a source is counted in a slot*
a tracked source has a place*
a source with a hundredfold*
a sender of pairs*
established sources keep every count*
END
)" '-sfe=*/killed_tick.cpp'
  suite e2e "$(paste -s -d , - <<END
agents that are killed at any moment*
a flood of a million*
what the kernel has no room for*
what a client does not read*
what is lost and no later event reports*
one frame in a thousand*
tshark*
END
)" '-sf=*/adoption.cpp,*/counting.cpp,*/devices.cpp,*/events.cpp,*/interface_*.cpp,*/lifecycle.cpp,*/privileges.cpp,*/refusals.cpp'
  suite vm
} >"$state/tests"

# boot LIMIT OUTPUT OPTIONS…: starts a guest and adds it to `guests`. It ends when it has switched off,
# panicked or run out of time.
boot() {
  limit=$1
  said=$2
  shift 2
  # A guest is slow without a processor's help, and need not slow down everybody else. Its network
  # is its own too.
  nice timeout --kill-after=5 "$limit" unshare --map-root-user --net \
    qemu-system-x86_64 -smp 2 -m 2G -nodefaults -no-reboot -display none "$@" \
    </dev/null >"$said" 2>&1 &
  guests="$guests $!"
}

# The status with which the oldest guest ended.
wait_for_guest() {
  # shellcheck disable=SC2086 # one word for each
  set -- $guests
  status=0
  # The shell's own message on how it ended is dropped.
  { wait "$1"; } 2>/dev/null || status=$?
  shift
  guests=$*
}

accelerator=tcg,thread=multi
# Emulated, the instruction cmpxchg16b garbles the flags now and then (QEMU 7.2), and the kernel's
# allocator is where it dies of it. Kernels do without.
cpu=max,-cx16
# What the kernel prints is all that shows whether one boots with KVM.
probe_kvm() {
  [ -w /dev/kvm ] || return 0
  boot 5 "$state/kvm.qemu" -accel kvm -cpu max -kernel "$1" -serial "file:$state/kvm" \
    -append "console=ttyS0 panic=-1"
  wait_for_guest
  if grep -q "Kernel panic - not syncing: VFS" "$state/kvm"; then
    accelerator=kvm
    cpu=max
  fi
}

passed=0 failed=0

# One that is not a test's: named, and counted.
fail() {
  echo "$*"
  failed=$((failed + 1))
}

# What a suite printed: show SUITE MODE
show_output() {
  awk -v header="=== $1	$2" '/^=== / { shown = $0 == header; next } shown { print "  | " $0 }' \
    "$state/$kernel.output"
}

# What test cases of a suite left out (tests/support/skip.hpp): skipped_cases SUITE MODE. A kernel before
# 6.18 cannot do all that a test may ask of it; anything else is there.
skipped_cases() {
  awk -v header="=== $1	$2" '/^=== / { here = $0 == header } here && /^skipped: /' \
    "$state/$kernel.output"
}
old_kernel="this kernel's BPF_PROG_TEST_RUN"

# count_suite SUITE MODE STATUS SECONDS SUMMARY
count_suite() {
  # test cases: 12 | 10 passed | 1 failed | 3 skipped: not chosen, or not come to after a crash.
  # shellcheck disable=SC2046 # four numbers, or none
  set -- "$1" "$2" "$3" "$4" $(echo "$5" | tr -cs 0-9 ' ')
  cases_passed=${6:-0} cases_failed=${7:-0}
  label="$kernel $1"
  if [ "$2" != - ]; then label="$label $2"; fi
  cases_skipped=$(skipped_cases "$1" "$2" | wc -l)
  cases_passed=$((cases_passed - cases_skipped))
  counts="$cases_passed passed, $cases_failed failed"
  if [ "$cases_skipped" != 0 ]; then counts="$counts, $cases_skipped skipped"; fi
  echo "$label: $counts ($4 s)"
  skipped_cases "$1" "$2" | sed 's/^/  | /'
  missing=$(skipped_cases "$1" "$2" | grep -c -v "$old_kernel" || :)
  if [ "$missing" != 0 ]; then fail "$label left out $missing for want of what should be there"; fi
  if [ "$cases_failed" != 0 ] || [ "$3" != 0 ]; then show_output "$1" "$2"; fi
  passed=$((passed + cases_passed))
  failed=$((failed + cases_failed))
  if [ "$cases_failed" = 0 ] && [ "$3" != 0 ]; then fail "$label ended with status $3"; fi
}

# The guests of all kernels run at once, since each keeps one processor busy at most.
start_guest() {
  kernel=$1
  # tests/vm/qemu_devices.hpp knows these. A hub negotiates no guest offloads, a tap device does.
  boot "$guest_limit" "$state/$kernel.qemu" -accel "$accelerator" -cpu "$cpu" \
    -kernel "$state/linux-$kernel/vmlinuz" -initrd "$state/$kernel.initramfs" \
    -append "console=ttyS0 panic=-1 quiet" -serial "file:$state/$kernel.console" \
    -device virtio-serial-pci \
    -chardev "file,id=results,path=$state/$kernel.results" \
    -device virtserialport,chardev=results,name=results \
    -chardev "file,id=output,path=$state/$kernel.output" \
    -device virtserialport,chardev=output,name=output \
    -netdev hubport,id=left,hubid=0 -device virtio-net-pci,netdev=left,mac=02:00:00:00:01:01 \
    -netdev hubport,id=right,hubid=0 -device virtio-net-pci,netdev=right,mac=02:00:00:00:01:02 \
    -netdev tap,id=tap,ifname=tap0,script=no,downscript=no \
    -device virtio-net-pci,netdev=tap,mac=02:00:00:00:01:03,ctrl_guest_offloads=off \
    -netdev hubport,id=left1,hubid=1 -device virtio-net-pci,netdev=left1,mac=02:00:00:00:01:04 \
    -netdev hubport,id=right1,hubid=1 -device virtio-net-pci,netdev=right1,mac=02:00:00:00:01:05 \
    -netdev hubport,id=left2,hubid=2 -device vmxnet3,netdev=left2,mac=02:00:00:00:01:06 \
    -netdev hubport,id=right2,hubid=2 -device e1000e,netdev=right2,mac=02:00:00:00:01:07
}

# report KERNEL: of the oldest guest
report() {
  kernel=$1
  wait_for_guest
  guest_status=$status
  echo "$kernel: Linux $(cat "$state/linux-$kernel/release"), ${accelerator%,*}"

  ran=0
  tab=$(printf '\t')
  while IFS=$tab read -r name mode status seconds summary; do
    ran=$((ran + 1))
    count_suite "$name" "$mode" "$status" "$seconds" "$summary"
  done <"$state/$kernel.results"
  ending=
  if [ "$guest_status" = 124 ] || [ "$guest_status" = 137 ]; then
    ending="did not end in $guest_limit seconds"
  elif [ "$guest_status" != 0 ]; then
    ending="did not run: $(cat "$state/$kernel.qemu")"
  elif grep -q 'Kernel panic\|BUG: \|Oops: ' "$state/$kernel.console"; then
    ending="has a fault in its kernel"
  elif [ "$ran" != "$(grep -c ^run "$state/tests")" ]; then
    ending="ended before its tests"
  fi
  if [ -z "$ending" ]; then return; fi
  tail -n 30 "$state/$kernel.output" "$state/$kernel.console" 2>/dev/null | sed 's/^/  | /' || :
  fail "the guest with Linux $kernel $ending"
}

for kernel in $kernels; do
  "$here/unpack-kernel.sh" "$kernel" "$state/linux-$kernel"
  "$here/make-initramfs.sh" "$state/linux-$kernel" "$build_dir" "$state/tests" \
    "$state/$kernel.initramfs"
  rm -f "$state/$kernel.output" "$state/$kernel.console"
  : >"$state/$kernel.results"
  if [ "$accelerator" != kvm ]; then probe_kvm "$state/linux-$kernel/vmlinuz"; fi
done
for kernel in $kernels; do start_guest "$kernel"; done
for kernel in $kernels; do report "$kernel"; done

# This is the summary of doctest, for those who count test cases.
echo "[doctest] test cases: $((passed + failed)) | $passed passed | $failed failed | 0 skipped"
[ "$failed" = 0 ]
