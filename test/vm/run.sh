#!/bin/bash
# Runs the sandbox's tests in a small virtual machine of Debian's packages, on a pure cgroup v2: as root, as an ordinary
# user with a delegated control group, and as one without. See docs/test-vm.md.
#   run.sh            every pass (guest.sh names them)
#   run.sh PASS…      these passes alone
# Environment: LANISTA_VM_SECONDS, the longest the machine may run (default 1800, 5400 without KVM);
# LANISTA_VM_TESTS, the test files (default: the sandbox's and the threats to its walls).
# Exit codes: 0 all passed, 1 a pass failed or the machine did not finish, 69 a program to make the machine is missing.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/test/vm
cache=$root/.cache/vm

if [ "$(uname -m)" != x86_64 ]; then
  echo "test-vm: the machine is made for x86_64 alone" >&2
  exit 69
fi
. "$here/images.sh"
need qemu-system-x86_64 qemu-system-x86
need mmdebstrap mmdebstrap
need genext2fs genext2fs

mkdir -p "$cache"
work=$(mktemp -d "$cache/run.XXXXXX")
qemu=
cleanup() {
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

base=$(base_image)
checkout_image "$work/checkout.img" "$*"

# A processor that offers no virtualisation can still have a /dev/kvm; an ordinary kernel does not boot on it.
if grep -Eqw 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
  accelerator="-accel kvm -cpu host"
  limit=${LANISTA_VM_SECONDS:-1800}
else
  echo "test-vm: no KVM here; the machine is emulated, some ten times slower" >&2
  accelerator="-accel tcg,thread=multi -cpu max"
  limit=${LANISTA_VM_SECONDS:-5400}
fi

# The machine's console goes to the log, and its verdict to a serial port of its own, which no test writes to.
log=$cache/console.log
: >"$log"
# shellcheck disable=SC2086 # the accelerator's words are meant to be split
timeout --kill-after=5 "$limit" qemu-system-x86_64 $accelerator -smp 2 -m 2048 \
  -nodefaults -no-user-config -display none -nic none -no-reboot \
  -kernel "$base/vmlinuz" -initrd "$base/initrd" \
  -append "console=ttyS0 quiet loglevel=3 panic=-1 root=/dev/vda rw init=/lanista-init" \
  -drive "file=$base/root.img,format=raw,if=virtio,snapshot=on" \
  -drive "file=$work/checkout.img,format=raw,if=virtio" \
  -serial "file:$log" -serial "file:$work/verdict" >"$work/qemu.log" 2>&1 &
qemu=$!
tail --pid="$qemu" -n +1 -f "$log" 2>/dev/null | tr -d '\r' | grep --line-buffered '^vm: ' || :
wait "$qemu" || :
qemu=
cat "$work/qemu.log" >&2

verdict=$(tr -d '\r\n' <"$work/verdict" 2>/dev/null || :)
if [ "$verdict" = "exit 0" ]; then
  echo "test-vm: passed; the console's log is .cache/vm/console.log"
else
  [ -n "$verdict" ] || echo "test-vm: the machine did not finish within $limit s" >&2
  tr -d '\r' <"$log" | tail -n 60 >&2
  echo "test-vm: failed; the console's log is .cache/vm/console.log" >&2
  exit 1
fi
