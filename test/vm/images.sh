# The two disks of the test machine, for run.sh, which sets root, here and cache. Neither needs root to make.

# need PROGRAM PACKAGE: leaves with 69 and the command that installs it.
need() {
  if ! command -v "$1" >/dev/null; then
    echo "test-vm: $1 is missing; as root: apt-get install --no-install-recommends qemu-system-x86 mmdebstrap genext2fs" >&2
    exit 69
  fi
}

# A kernel with its modules, the runtimes, what rootless sandboxes need, and a Python for agents.
packages=linux-image-cloud-amd64,crun,runc,runsc,uidmap,python3,procps,iproute2,kmod,libatomic1

# The mirror that this host takes its own packages from.
mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -v '^#' | grep -o '[a-z]*://[^ ]*' | grep -v security | head -n 1
}

# Prints the folder with root.img, vmlinuz and initrd, and makes it where it is not there for this recipe.
base_image() {
  key=$(cat "$here/images.sh" "$here/init.sh" | cksum | cut -d ' ' -f 1)
  folder=$cache/base-$key
  if [ ! -e "$folder" ]; then
    echo "test-vm: making the machine's root (about a minute, some 100 MB to download)" >&2
    rm -rf "$cache"/base-*
    making=$(mktemp -d "$cache/making.XXXXXX")
    if ! {
      mmdebstrap --quiet --variant=minbase --include="$packages" \
        --customize-hook="copy-in $here/init.sh /" \
        --customize-hook='mv "$1/init.sh" "$1/lanista-init"; chmod 755 "$1/lanista-init"; mkdir "$1/checkout"' \
        bookworm "$making/root.tar" "$(mirror)" >"$making/log" 2>&1 &&
        tar -xf "$making/root.tar" -C "$making" --wildcards './boot/vmlinuz-*' './boot/initrd.img-*' &&
        mv "$making"/boot/vmlinuz-* "$making/vmlinuz" && mv "$making"/boot/initrd.img-* "$making/initrd" &&
        genext2fs -B 4096 -b 262144 -N 65536 -a "$making/root.tar" "$making/root.img" >>"$making/log" 2>&1
    }; then
      cat "$making/log" >&2
      rm -rf "$making"
      return 1
    fi
    rm -rf "$making/root.tar" "$making/boot"
    mv "$making" "$folder"
  fi
  echo "$folder"
}

# checkout_image FILE PASSES: the working tree as it is now (what git ignores left out), with its node_modules. The
# compiler and the formatter are a third of these, and no test in the machine calls them.
checkout_image() {
  (
    cd "$root"
    {
      git -c core.quotePath=false ls-files --cached --others --exclude-standard
      find node_modules \( -path 'node_modules/@biomejs/*' -o -path 'node_modules/@typescript/*' \) -prune -o -print
    } | while IFS= read -r path; do
      # A file that was removed but not committed is still in git's list.
      if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
    done |
      # genext2fs wants each folder before what is in it.
      awk -F/ '{ path = ""; for (i = 1; i <= NF; i++) { path = path (i > 1 ? "/" : "") $i; if (!seen[path]++) print path } }' |
      tar --no-recursion --verbatim-files-from --owner=0 --group=0 -cf "$work/checkout.tar" -T -
    echo "$2" >"$work/passes"
    # What a match's engine makes of an agent's words and of a busy host is the same on every kernel.
    # Named one by one: of an exclusion a suite of several projects knows nothing.
    threats=$(printf 'test/threats/%s.test.ts ' escape exhaustion survival two-boxes)
    echo "${LANISTA_VM_TESTS:-packages/sandbox $threats}" >"$work/tests"
    tar -rf "$work/checkout.tar" --owner=0 --group=0 -C "$work" --transform='s,^,.vm-,' passes tests
    genext2fs -B 4096 -b 262144 -N 131072 -a "$work/checkout.tar" "$1" 2>"$work/genext2fs.log" || {
      cat "$work/genext2fs.log" >&2
      exit 1
    }
    rm "$work/checkout.tar"
  )
}
