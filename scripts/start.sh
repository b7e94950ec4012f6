#!/usr/bin/env bash
# Sets up what is missing, then runs three nodes on this machine with a voting page on port 5000.
. "$(dirname "$0")/setup.sh" start
install_packages "${ENGINE_PACKAGES[@]}"
install_modules
build
exec node scripts/demo.mjs "$@"
