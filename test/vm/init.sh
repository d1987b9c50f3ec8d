#!/bin/sh
# The first process of the test machine: mounts what a machine has, with control groups as v2 alone, hands over to the
# checkout's guest.sh, writes its exit status to the second serial port, and switches off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb NO_COLOR=1
# The initial ram disk has brought some of them along.
mounted() { mountpoint -q "$1"; }
mounted /proc || mount -t proc proc /proc -o nosuid,nodev,noexec
mounted /sys || mount -t sysfs sysfs /sys -o nosuid,nodev,noexec
mounted /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts -o mode=0620,ptmxmode=0666
mount -t tmpfs tmpfs /dev/shm -o nosuid,nodev,mode=1777
mounted /run || mount -t tmpfs tmpfs /run -o nosuid,nodev,mode=755
mount -t tmpfs tmpfs /tmp -o nosuid,nodev,mode=1777
mount -t cgroup2 cgroup2 /sys/fs/cgroup -o nosuid,nodev,noexec,nsdelegate
# Mounts of one namespace shall not show in another by themselves, or do as on any host with a service manager: shared.
mount --make-rshared /
ip link set lo up
hostname lanista-vm
status=1
if mount -o noatime /dev/vdb /checkout; then
  sh /checkout/test/vm/guest.sh
  status=$?
fi
echo "exit $status" >/dev/ttyS1
sync
echo o >/proc/sysrq-trigger
sleep 10
