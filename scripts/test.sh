#!/usr/bin/env bash
# Every ring, on a fresh machine too. Arguments go to vitest, e.g. npm test -- --project hosts
. "$(dirname "$0")/setup.sh" test
install_packages "${ENGINE_PACKAGES[@]}" wrk:wrk docker:docker.io openssl:openssl haproxy:haproxy docker-registry:docker-registry /usr/lib/python3/dist-packages/docker:python3-docker "${COMPILER_PACKAGES[@]}"
install_modules
build
if [ $# -gt 0 ]; then
  exec npx vitest run "$@"
fi
npm run --silent check
for ring in property conformance cluster hosts clients; do
  say "ring: $ring"
  npx vitest run --project "$ring" --passWithNoTests
done
