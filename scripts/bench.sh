#!/usr/bin/env bash
# Measurements against peers. Without arguments all of them; else the names of some, e.g. npm run bench -- create loss
. "$(dirname "$0")/setup.sh" 'run bench'
install_packages "${ENGINE_PACKAGES[@]}" wrk:wrk nginx:nginx-light haproxy:haproxy docker:docker.io "${COMPILER_PACKAGES[@]}"
install_modules
build
npx tsc -p tsconfig.bench.json
declare -A BENCHES=(
  [create]=cluster/create [loss]=cluster/node-loss [start]=process/start [commands]=process/commands [mesh]=mesh/run [changes]=changes/run
  [placement]=scheduler/placement [api]=api/run [logs]=logs/run
)
[ $# -gt 0 ] || set -- start commands create loss placement mesh changes api logs
for name in "$@"; do
  [ -n "${BENCHES[$name]:-}" ] || { echo "bale: no measurement is named $name; there are: ${!BENCHES[*]}" >&2; exit 1; }
  say "bench: $name"
  node "dist-bench/bench/${BENCHES[$name]}.js"
done
