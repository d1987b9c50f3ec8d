#!/bin/sh
# Regenerates packages/games/goldens from other people's implementations (scripts/goldens/requirements.txt), in a virtual
# environment under .cache/. With --check the committed files stay as they are and are compared.
# Exit codes: 0 done, or equal; 1 different, or a generator failed; 2 bad usage; 75 the packages cannot be had here
# (unless CI is set: there that is a failure, 1).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/scripts/goldens
goldens=$root/packages/games/goldens

case "${1-}" in
  "") check= ;;
  --check) check=1 ;;
  *) echo "usage: scripts/goldens.sh [--check]" >&2; exit 2 ;;
esac

# A folder of its own for each set of versions: a changed pin never meets an old installation.
venv=$root/.cache/goldens-$(cksum <"$here/requirements.txt" | cut -d ' ' -f 1)
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; }; then
    rm -rf "$venv"
    echo "goldens: could not install $here/requirements.txt; nothing was compared" >&2
    [ -z "${CI-}" ] && exit 75
    exit 1
  fi
  touch "$venv/complete"
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/generate.py" "$out" || exit 1
if [ "$check" ]; then
  diff -r "$goldens" "$out" || { echo "goldens: the committed files are not what the generators write" >&2; exit 1; }
  echo "goldens: equal"
else
  mkdir -p "$goldens"
  rm -f "$goldens"/*.txt
  cp "$out"/*.txt "$goldens"/
fi
