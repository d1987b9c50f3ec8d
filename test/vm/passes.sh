# The passes of the test machine, sourced by guest.sh.

# A line for each test as it ends, and patience: an emulated processor is slow.
suite="vitest run --maxWorkers=1 --reporter=verbose --testTimeout=180000 $(cat .vm-tests)"

as_root() {
  node --conditions=lanista-source test/vm/enforces.ts && $suite
}

# An ordinary user with ids of his own to hand out (useradd gives him 65536), to whom the checkout belongs from now on.
make_user() {
  id tester >/dev/null 2>&1 && return
  useradd --create-home --shell /bin/sh tester
  grep -q '^tester:' /etc/subuid || return 1
  mkdir -p /run/user/1000
  mount -t tmpfs tmpfs /run/user/1000 -o nosuid,nodev,mode=700,uid=1000,gid=1000
  chown -R tester:tester /checkout
}

# user GROUP COMMAND…: runs the command as that user, in this control group.
user() {
  group=$1
  shift
  sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$group" \
    setpriv --reuid tester --regid tester --init-groups \
    env -i HOME=/home/tester USER=tester LOGNAME=tester XDG_RUNTIME_DIR=/run/user/1000 LANG=C.UTF-8 NO_COLOR=1 PATH="$PATH" "$@"
}

# What systemd does for `Delegate=yes`: the group belongs to the user, as do the files by which he makes groups below it
# and moves his processes there; its limits do not. His session is in a group below.
delegated=/sys/fs/cgroup/tester
delegate() {
  echo "+cpu +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
  mkdir -p "$delegated/session"
  for file in "" cgroup.procs cgroup.subtree_control cgroup.threads session session/cgroup.procs \
    session/cgroup.subtree_control session/cgroup.threads; do
    chown tester:tester "$delegated/$file"
  done
}

as_user_delegated() {
  make_user && delegate || return 1
  # shellcheck disable=SC2086 # the suite's words are meant to be split
  user "$delegated/session" node --conditions=lanista-source test/vm/enforces.ts && user "$delegated/session" $suite
}

as_user_undelegated() {
  make_user || return 1
  mkdir -p /sys/fs/cgroup/undelegated
  user /sys/fs/cgroup/undelegated node --conditions=lanista-source test/vm/refusals.ts cpus cpuSeconds memoryBytes pids
}

# The user once more, whose range of ids is gone for a while.
as_user_without_ids() {
  make_user && delegate || return 1
  cp /etc/subuid /run/subuid
  sed -i /^tester:/d /etc/subuid
  user "$delegated/session" node --conditions=lanista-source test/vm/refusals.ts uid
  ids=$?
  cp /run/subuid /etc/subuid
  return "$ids"
}
