#!/bin/sh
# Prints the Python of a virtual environment with requirements.txt in it, made once under .cache/. Exit code 75 where the
# packages cannot be had here (unless CI is set: there that is a failure, 1).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv=$root/.cache/ratings-$(cksum <"$here/requirements.txt" | cut -d ' ' -f 1)
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; } >&2; then
    rm -rf "$venv"
    echo "ratings: could not install $here/requirements.txt; nothing was compared" >&2
    [ -z "${CI-}" ] && exit 75
    exit 1
  fi
  touch "$venv/complete"
fi
echo "$venv/bin/python"
