#!/usr/bin/env bash
# Types, lint, format, architecture and unit tests; under a minute, nothing but npm packages needed.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
npm run --silent generate
npm run --silent typecheck & types=$!
npm run --silent lint & lint=$!
npm run --silent format:check
wait "$types"
wait "$lint"
npm run --silent unit
