#!/bin/sh
# The server's part of the demo: starts one in .demo/server, founds a space with a public ladder, hands the example agents
# in through the API, waits until they have played, and prints the table and where it is to be seen. On a terminal the
# server stays until Ctrl-C; elsewhere it ends with the script.
#   scripts/demo-server.sh TIER AGENT…
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
out=$PWD/.demo
tier=$1
shift

say() {
  if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi
}
show() {
  if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then printf '\033[2m$ %s\033[0m\n' "$*"; else printf '$ %s\n' "$*"; fi
  "$@"
}
field() { node -pe 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]] ?? ""' "$1" "$2"; }

# The usual ports, unless somebody has them.
free() { node -e 'require("net").createServer().on("error", () => process.exit(1)).listen(+process.argv[1], "127.0.0.1", () => process.exit(0))' "$1"; }
port() { if free "$1"; then echo "$1"; else echo 0; fi; }

say "A server: HTTP, gRPC, a database and a worker of its own, in one folder"
echo '$ lanista serve --data-dir .demo/server'
# In a session of its own, so that Ctrl-C is ours to pass on.
setsid lanista serve --json --data-dir "$out/server" --http-port "$(port 8080)" --grpc-port "$(port 50051)" \
  --metrics-port "$(port 9464)" --worker-tier "$tier" >"$out/server.json" 2>"$out/server.log" &
server=$!
stop() {
  trap - EXIT INT TERM
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
waited=0
until [ -s "$out/server.json" ]; do
  waited=$((waited + 1))
  if [ "$waited" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
    echo "The server did not start:" >&2
    tail -n 20 "$out/server.log" >&2
    exit 1
  fi
  sleep 0.2
done
url=$(field "$out/server.json" http)
echo "It is up at $url."

export XDG_CONFIG_HOME="$out/config"
node -e 'console.log(require("crypto").randomBytes(12).toString("hex"))' >"$out/password"
say "An administrator, a space, a ladder"
lanista admin init --server "$url" --secret "$(field "$out/server.json" initSecret)" --name Demo --email demo@example.org \
  --password-stdin <"$out/password"
show lanista space create demo --title "Demo cup"
show lanista ladder create hex --space demo --title "Hex on 5×5" --env hex --option size=5 --tier "$tier" --agents 10 --public

say "The example agents are handed in: each is validated in a sandbox, and then plays"
for agent in "$@"; do
  # A name a row: two files of one name are two agents.
  name=$(echo "${agent#examples/agents/}" | tr -c 'A-Za-z0-9.\n' '-' | sed 's/^-*//; s/^\.demo-//')
  show lanista submit "$agent" --ladder demo/hex --name "$name"
done

say "Every pairing is played; the ladder goes on by itself"
pairings=$(($# * ($# - 1) / 2))
waited=0
while :; do
  matches=$(lanista leaderboard demo/hex --json | node -pe 'JSON.parse(require("fs").readFileSync(0, "utf8")).ladder.matches')
  [ "$matches" -lt "$pairings" ] && [ "$waited" -lt 60 ] || break
  waited=$((waited + 1))
  sleep 0.5
done
show lanista leaderboard demo/hex
show lanista ladder verify demo/hex
printf '\nThe same table, live: %s/ladders/demo/hex\n' "$url"
if [ -t 0 ] && [ -t 1 ]; then
  echo "The server stays up until Ctrl-C. To have it again: lanista serve --data-dir .demo/server"
  trap 'echo; exit 0' INT
  wait "$server"
else
  echo "To have the server again: node_modules/.bin/lanista serve --data-dir .demo/server"
fi
