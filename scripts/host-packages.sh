#!/bin/sh
# Installs the host's packages that Lanista uses, with apt-get, if any is missing. Needs root for that; without root it
# prints the command and goes on, for what is missing costs only the tiers or languages named here.
#   host-packages.sh           install what is missing
#   host-packages.sh --check   say what is missing; exit 1 if anything is
#   host-packages.sh --test    install what only tests need
#   host-packages.sh --image   install what only the test of the image needs
#   host-packages.sh --bench   install what only comparisons of speed need
#   host-packages.sh --vm      install what only the test machine needs
set -eu

# package  the program it brings  why
wanted='
crun     crun       the container tier: the OCI runtime tried first
runc     runc       the container tier: the other OCI runtime
runsc    runsc      the gvisor tier: a kernel of its own for each sandbox
umoci    umoci      images as the root of sandboxes
uidmap   newuidmap  sandboxes without root: user ids of their own
python3  python3    agents written in Python
python3-venv python:ensurepip environments for the peers that rules and speed are compared with
gcc      gcc        the example agent in C
libc6-dev /usr/include/stdlib.h the example agent in C, linked statically
'

# What our queue and our grading are measured beside.
for_bench='
rabbitmq-server rabbitmq-server the broker behind Celery
firejail firejail the sandbox that aiVLE has its worker use
'

# A virtual machine with cgroup v2, for make test-vm.
for_vm='
qemu-system-x86 qemu-system-x86_64 runs it
mmdebstrap mmdebstrap makes its root from Debian packages
genext2fs genext2fs makes its disks without root
'
# An engine is started by the tests themselves; whoever plays without the docker tier shall not be given one.
for_tests='
docker.io dockerd the docker tier, whose tests start an engine of their own
rabbitmq-server rabbitmq-server the broker between aiVLE and its workers; tests start one of their own
'
for_image='
docker.io dockerd builds it and runs it
debootstrap debootstrap makes its base
'
case ${1-} in
  --bench) wanted=$for_bench ;;
  --vm) wanted=$for_vm ;;
  --test) wanted=$for_tests ;;
  --image) wanted=$for_image ;;
esac

has() {
  case $1 in
    /*) [ -e "$1" ] ;;
    python:*) python3 -c "import ${1#python:}" 2>/dev/null ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
  esac
}

missing=
while read -r package program why; do
  [ -n "$package" ] || continue
  if ! has "$program"; then
    echo "missing: $package ($why)" >&2
    missing="$missing $package"
  fi
done <<EOF
$wanted
EOF

[ -n "$missing" ] || exit 0
[ "${1-}" != --check ] || exit 1

install="apt-get install --yes --no-install-recommends$missing"
if ! has apt-get; then
  echo "This host has no apt-get; install these by its own means:$missing" >&2
elif [ "$(id -u)" -ne 0 ]; then
  echo "To have them, run: sudo $install" >&2
else
  export DEBIAN_FRONTEND=noninteractive
  $install >&2 || { apt-get update >&2 && $install >&2; } || echo "They could not be installed; going on without." >&2
fi
