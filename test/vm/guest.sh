#!/bin/sh
# Inside the test machine: the passes, each a line "vm: NAME …". Called by init.sh as root, in the root control group.
# Exit code 0 if every pass that was asked for passed.
cd /checkout || exit 1
export PATH="/checkout/node_modules/.bin:$PATH"
wanted=$(cat .vm-passes)
failed=0
echo "vm: $(uname -sr), $(nproc) processors, $(stat -fc %T /sys/fs/cgroup), node $(node --version), $(crun --version | head -n 1), $(runc --version | head -n 1), $(runsc --version | head -n 1)"

# pass NAME COMMAND…: runs the command if the pass is wanted; its output goes to the console.
pass() {
  name=$1
  shift
  case " $wanted " in
    "  " | *" $name "*) ;;
    *) return ;;
  esac
  start=$(date +%s)
  echo "vm: $name: starts"
  # Through a pipe, for on a terminal the test runner would paint.
  { "$@" 2>&1 && status=0 || status=$?; echo "$status" >/run/status; } | cat
  status=$(cat /run/status)
  if [ "$status" -eq 0 ]; then result=passed; else result="FAILED ($status)" failed=1; fi
  echo "vm: $name: $result after $(($(date +%s) - start)) s"
}

. test/vm/passes.sh
pass root as_root
pass delegated as_user_delegated
pass undelegated as_user_undelegated
pass without-ids as_user_without_ids
exit "$failed"
