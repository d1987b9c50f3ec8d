# The passes of the test machine, sourced by guest.sh.

as_root() {
  vitest run --maxWorkers=1 packages/sandbox test/threats
}

# An ordinary user with ids of his own to hand out (useradd gives him 65536), to whom the checkout belongs from now on.
make_user() {
  id tester >/dev/null 2>&1 && return
  useradd --create-home --shell /bin/sh tester
  grep -q '^tester:' /etc/subuid || return 1
  mkdir -p /run/user/1000
  chown tester:tester /run/user/1000
  chmod 700 /run/user/1000
  chown -R tester:tester /checkout
}

# user GROUP COMMAND…: runs the command as that user, in this control group.
user() {
  group=$1
  shift
  sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$group" \
    setpriv --reuid tester --regid tester --init-groups \
    env -i HOME=/home/tester USER=tester LOGNAME=tester XDG_RUNTIME_DIR=/run/user/1000 LANG=C.UTF-8 PATH="$PATH" "$@"
}

# What systemd does for `Delegate=yes`: the group belongs to the user, as do the files by which he makes groups below it
# and moves his processes there; its limits do not. His session is in a group below.
as_user_delegated() {
  make_user || return 1
  group=/sys/fs/cgroup/tester
  echo "+cpu +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
  mkdir -p "$group/session"
  for file in "" cgroup.procs cgroup.subtree_control cgroup.threads session session/cgroup.procs \
    session/cgroup.subtree_control session/cgroup.threads; do
    chown tester:tester "$group/$file"
  done
  user "$group/session" vitest run --maxWorkers=1 packages/sandbox test/threats
}

as_user_undelegated() {
  make_user || return 1
  mkdir -p /sys/fs/cgroup/undelegated
  user /sys/fs/cgroup/undelegated node --conditions=lanista-source test/vm/undelegated.ts
}
