#!/usr/bin/env bash
# Types, lint, format, architecture and unit tests; under a minute, nothing but npm packages needed.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
npm run --silent generate
# Side by side, since each leaves part of two cores idle; whichever fails, the others still speak.
npm run --silent lint & lint=$!
npm run --silent format:check & format=$!
failed=0
npm run --silent unit || failed=1
npm run --silent typecheck || failed=1
wait "$lint" || failed=1
wait "$format" || failed=1
exit "$failed"
