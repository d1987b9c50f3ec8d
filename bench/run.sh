#!/bin/sh
# Measures, beside other people's systems where these can be installed, prints the figures, and writes them as JSON.
# Usage: bench/run.sh [FILE [BENCHMARK…]]   FILE defaults to .cache/bench.json; benchmarks: see main.ts; default all.
# BENCH_SCALE=0.2 runs a fifth of the rounds.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/bench/peers/requirements.txt

# A folder of its own for each set of versions: a changed pin never meets an old installation.
BENCH_VENV=$root/.cache/bench-venv-$(cksum <"$requirements" | cut -d ' ' -f 1)
if [ ! -e "$BENCH_VENV/complete" ]; then
  echo "bench: installing the peers into $BENCH_VENV" >&2
  rm -rf "$BENCH_VENV"
  if python3 -m venv "$BENCH_VENV" &&
    "$BENCH_VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements"; then
    touch "$BENCH_VENV/complete"
  else
    rm -rf "$BENCH_VENV"
    echo "bench: the peers cannot be installed here; their columns stay empty" >&2
  fi
fi
export BENCH_VENV
PATH=$root/node_modules/.bin:$PATH
exec node --conditions=lanista-source "$root/bench/main.ts" "$@"
