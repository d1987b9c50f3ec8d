#!/bin/sh
# Prints the folder of a virtual environment that holds what a requirements file names, made at most once for each set of
# versions: scripts/python-packages.sh path/to/requirements.txt
# Exit codes: 0 it is there; 1 it could not be made; 75 the packages cannot be had here (unless CI is set: then 1).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.cache/python/$(cksum <"$1" | cut -d ' ' -f 1)
mkdir -p "$root/.cache/python"
# Two at once: the second waits, and finds it made.
exec 9>"$venv.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$1"; } >&2; then
    rm -rf "$venv"
    echo "could not install $1" >&2
    [ -z "${CI-}" ] && exit 75
    exit 1
  fi
  touch "$venv/complete"
fi
echo "$venv"
