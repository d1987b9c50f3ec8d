#!/bin/sh
# Measures, beside other people's systems where these can be installed, prints the figures, and writes them as JSON.
# Usage: bench/run.sh [FILE [BENCHMARK…]]   FILE defaults to .cache/bench.json; benchmarks: see main.ts; default all.
# BENCH_SCALE=0.2 runs a fifth of the rounds. BENCH_PYTHON names the interpreter of our agents and of the peers; the default
# is the system's own: one on PATH may load a site-wide package at every start, which would weigh on every figure of ours.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${BENCH_PYTHON-}" ]; then
  if [ -x /usr/bin/python3 ]; then BENCH_PYTHON=/usr/bin/python3; else BENCH_PYTHON=python3; fi
fi
requirements=$root/bench/peers/requirements.txt

# A folder of its own for each set of versions: a changed pin never meets an old installation.
BENCH_VENV=$root/.cache/bench-venv-$({ "$BENCH_PYTHON" --version; cat "$requirements"; } | cksum | cut -d ' ' -f 1)
if [ ! -e "$BENCH_VENV/complete" ]; then
  echo "bench: installing the peers into $BENCH_VENV" >&2
  rm -rf "$BENCH_VENV"
  if "$BENCH_PYTHON" -m venv "$BENCH_VENV" &&
    "$BENCH_VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements"; then
    touch "$BENCH_VENV/complete"
  else
    rm -rf "$BENCH_VENV"
    echo "bench: the peers cannot be installed here (on Debian, venv needs python3-venv); their columns stay empty" >&2
  fi
fi
export BENCH_VENV BENCH_PYTHON
PATH=$root/node_modules/.bin:$PATH
exec node --conditions=lanista-source "$root/bench/main.ts" "$@"
