#!/bin/sh
# Installs bale from this checkout: the program under /usr/local/lib/bale, the command `bale`, the systemd unit.
# Run as root. DESTDIR=DIR installs below DIR and starts nothing, for building packages.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
root=${DESTDIR:-}
library=/usr/local/lib/bale

fail() {
  echo "install: $1" >&2
  exit 1
}

[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 'run it as root'
command -v node >/dev/null || fail 'Node.js is missing; bale needs version 20.19 or later'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old; bale needs version 20.19 or later"
command -v flock >/dev/null || fail 'flock is missing; it is in the package util-linux'

cd "$here"
[ -d node_modules/typescript ] || npm ci --no-audit --no-fund
npm run --silent build

# A new directory beside the old one, swapped at the end: a running daemon never sees half a program.
staged=$root$library.new
rm -rf "$staged"
mkdir -p "$staged"
cp -R dist package.json package-lock.json LICENSE "$staged/"
(cd "$staged" && npm ci --omit=dev --no-audit --no-fund --silent)
rm -rf "$root$library.old"
[ ! -e "$root$library" ] || mv "$root$library" "$root$library.old"
mv "$staged" "$root$library"
rm -rf "$root$library.old"

mkdir -p "$root/usr/local/bin" "$root/etc/systemd/system"
ln -sfn "$library/dist/bin/bale.js" "$root/usr/local/bin/bale"
cp packaging/bale.service "$root/etc/systemd/system/bale.service"

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable bale.service
  systemctl restart bale.service
  echo 'bale is installed and runs. Next: bale swarm init'
else
  echo "bale is installed in ${root:-/}. Start it with: bale daemon"
fi
