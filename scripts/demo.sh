#!/bin/sh
# A small hex tournament among the example agents, each in a sandbox of its own; a decisive game's board, its replay
# verified and made into a page. A pair of aiVLE's bundles and a task of ours, graded. Then a server, with a ladder of the same
# agents. Everything it writes goes to .demo/.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
agents=examples/agents
out=.demo

say() {
  if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi
}
# Shows a command line, then runs it.
show() {
  if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then printf '\033[2m$ %s\033[0m\n' "$*"; else printf '$ %s\n' "$*"; fi
  "$@"
}

rm -rf "$out"
mkdir -p "$out"

tier=container
if ! lanista doctor --json >"$out/doctor.json"; then
  lanista doctor || true
  say "No sandbox can be had on this host as it is (see above), so the demo plays without: only its own example agents."
  tier=none
fi

# The example in C, where there is a compiler; else one more in Python.
fourth=$agents/python/hex/greedy.py
if command -v "${CC:-cc}" >/dev/null && $agents/c/hex/build.sh "$out/playouts-in-c" 2>"$out/cc.log"; then
  fourth=$out/playouts-in-c
fi

say "A hex tournament: everybody against everybody in both seats, each in a sandbox of its own"
show lanista tournament hex $agents/python/random.py $agents/javascript/hex/greedy.mjs $agents/python/hex/search.py \
  "$fourth" --option size=5 --seed 2026 --tier "$tier" --replays "$out/replays"

say "One game of it on a larger board, with its replay"
show lanista match hex $agents/python/hex/search.py $agents/javascript/hex/greedy.mjs \
  --option size=7 --seed 7 --tier "$tier" --replay "$out/game.jsonl"

say "Is the replay true? The rules play it again"
show lanista replay verify "$out/game.jsonl"

say "And to look at"
show lanista replay export "$out/game.jsonl" --output "$out/game.html"
printf '\nOpen file://%s/%s/game.html in a browser.\n' "$PWD" "$out"

say "Grading: a pair of aiVLE's bundles as they are, the agent in a sandbox of its own, so that it cannot print its own score"
(cd examples/aivle && for part in grader agent; do
  python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])' "../../$out/$part" $part
done)
show lanista grade "$out/grader.zip" "$out/agent.zip" --tier "$tier"

say "And a task of our own: its cases are matches against the task's opponents"
lanista init task "$out/task" >/dev/null
show lanista grade "$out/task" "$out/task/reference.py" --tier "$tier"

scripts/demo-server.sh "$tier" $agents/python/random.py $agents/python/hex/greedy.py $agents/python/hex/search.py \
  $agents/javascript/hex/greedy.mjs
