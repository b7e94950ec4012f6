# Sourced by the other scripts: makes a fresh Debian 12 machine ready. Says what it does, does only what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '==> %s\n' "$*"; }

if [ "$(id -u)" -ne 0 ]; then
  printf 'bale: this needs root: it installs Debian packages, starts a Docker Engine and makes network namespaces.\nRun it as root, for example: sudo npm %s\n' "${1:-start}" >&2
  exit 1
fi
node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>20||(a===20&&b>=19)?0:1)' || {
  printf 'bale: Node.js 20.19 or later is needed, this is %s.\n' "$(node --version)" >&2
  exit 1
}

# Debian packages whose program, or file, is missing.
install_packages() {
  local missing=() pair
  for pair in "$@"; do
    [ -e "${pair%%:*}" ] && [ "${pair:0:1}" = / ] && continue
    [ -n "$(PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" || true)" ] || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || {
    printf 'bale: these programs are missing and there is no apt-get to install them: %s\n' "${missing[*]}" >&2
    exit 1
  }
  say "installing Debian packages: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_modules() {
  # By content: a fresh checkout gives every file a new time.
  local installed=node_modules/.bale-installed
  if ! sha256sum --check --status "$installed" 2>/dev/null; then
    say 'installing npm packages'
    npm ci --no-audit --no-fund --loglevel=error
    sha256sum package-lock.json >"$installed"
  fi
}

build() {
  say 'building'
  npm run --silent build
}

export PATH="$PATH:/usr/sbin:/sbin"
ENGINE_PACKAGES=(dockerd:docker.io iptables:iptables ip:iproute2 busybox:busybox-static)
# For the replica of the load tests; gencat stands for the C library, with which it comes.
COMPILER_PACKAGES=(gcc:gcc gencat:libc6-dev)
