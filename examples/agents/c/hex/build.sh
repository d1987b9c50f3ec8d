#!/bin/sh
# build.sh FOLDER: compiles the agent to FOLDER/run, which is then an agent's folder. Linked statically, so that it needs
# nothing from the sandbox it runs in.
set -eu
[ $# = 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
command -v "${CC:-cc}" >/dev/null || { echo "$0: no C compiler; install one (Debian: gcc libc6-dev) or set CC" >&2; exit 1; }
mkdir -p "$1"
"${CC:-cc}" -std=c99 -O2 -Wall -Wextra -Werror -static -o "$1/run" "$(dirname "$0")/agent.c"
