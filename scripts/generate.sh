#!/bin/sh
# Writes packages/api/gen from the protos. With --check nothing is written there, and the status is 1 where it is not what
# would be written, or where the protos offend buf's rules.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$root/node_modules/.bin:$PATH
cd "$root/proto"
case ${1-} in
"") exec buf generate ;;
--check) ;;
*)
  echo "usage: scripts/generate.sh [--check]" >&2
  exit 2
  ;;
esac
buf lint
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sed "s|out: .*|out: $scratch/gen|" buf.gen.yaml >"$scratch/buf.gen.yaml"
buf generate --template "$scratch/buf.gen.yaml"
if ! diff -r "$root/packages/api/gen" "$scratch/gen" >&2; then
  echo "packages/api/gen is not up to date: run scripts/generate.sh" >&2
  exit 1
fi
