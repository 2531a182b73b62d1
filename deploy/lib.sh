# Shared by the scripts of this folder: words to standard error, ports, and what a machine needs.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 1; }

# The Debian packages that the build needs, those that draw a PNG and edit the shell's lines (loaded when they are wanted), and a file
# that proves each.
packages=(libsnappy-dev libmicrohttpd-dev libcurl4-openssl-dev libre2-dev zlib1g-dev pkg-config g++ librsvg2-2 fonts-dejavu-core
  libedit2)
proofs=(/usr/include/snappy-c.h /usr/include/microhttpd.h curl/curl.h /usr/include/re2/re2.h /usr/include/zlib.h
  /usr/bin/pkg-config /usr/bin/g++ librsvg-2.so.2 /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf libedit.so.2)

missing_packages() {
  local index proof
  for index in "${!packages[@]}"; do
    proof=${proofs[$index]}
    case $proof in
      /*) [ -e "$proof" ] ;;
      *.so.*) compgen -G "/usr/lib/*/$proof" >/dev/null || [ -e "/usr/lib/$proof" ] ;;
      *) compgen -G "/usr/include/*/$proof" >/dev/null || [ -e "/usr/include/$proof" ] ;;
    esac || printf '%s\n' "${packages[$index]}"
  done
}

# Installs Debian packages by name: as root, or with sudo for apt only; else prints the line to type and ends with 1.
install_packages() {
  [ $# -gt 0 ] || return 0
  local line="apt-get install -y --no-install-recommends $*" run=()
  command -v apt-get >/dev/null || fail "needs these Debian packages (or your system's equivalents): $*"
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      run=(sudo)
    else
      fail "packages are missing. As root: $line"
    fi
  fi
  say "installing $*"
  "${run[@]}" apt-get update -qq >&2 || fail "apt-get update failed; then try: $line"
  DEBIAN_FRONTEND=noninteractive "${run[@]}" $line -qq >&2 || fail "this failed: $line"
}

# Where LiveClientTests looks for Python's InfluxDB clients, and which they are.
clients_folder=$root/.build/clients
clients=(influxdb==5.3.2 influxdb-client==1.50.0)

# Whether they are all there, of these versions.
has_clients() {
  [ -x "$clients_folder/bin/python" ] && "$clients_folder/bin/python" - "${clients[@]}" 2>/dev/null <<'END'
import sys
from importlib.metadata import version
sys.exit(any(version(name) != wanted for name, wanted in (one.split("==") for one in sys.argv[1:])))
END
}

# Installs them into a Python environment of their own, made anew; fails where Python or the package index is out of reach.
install_clients() {
  has_clients && return 0
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    # In a subshell: where it cannot be installed the script goes on.
    (install_packages python3-venv) || return 1
  fi
  say "installing ${clients[*]} into $clients_folder"
  rm -rf "$clients_folder"
  { python3 -m venv "$clients_folder" &&
    timeout 300 "$clients_folder/bin/python" -m pip install --quiet --disable-pip-version-check --timeout 15 --retries 1 \
      "${clients[@]}"; } >&2 || { rm -rf "$clients_folder"; return 1; }
  has_clients
}

need_swift() {
  if ! command -v swift >/dev/null && [ -x /opt/swift/usr/bin/swift ]; then PATH=/opt/swift/usr/bin:$PATH; fi
  command -v swift >/dev/null || fail "no swift found: install the Swift 6.3 toolchain for Debian 12 (swift.org/install), put it on PATH, run this again"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case $version in
    6.[3-9] | 6.[1-9][0-9] | [7-9].*) ;;
    *) fail "Swift 6.3 or later is needed, found '${version:-none}' at $(command -v swift)" ;;
  esac
}

need_disk() { # megabytes
  local free
  free=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$1" ] || fail "needs $1 MB free on the disk of $root, found $free MB"
}

# Builds the command for this machine in release and sets `varve` to its path. Swift's own libraries are put into it: a command starts in
# half the time, and runs where no Swift is.
build_varve() {
  local flags=(-c release --product varve --static-swift-stdlib --scratch-path .build/static)
  if [ "$(uname -m)" = x86_64 ] && grep -qw avx2 /proc/cpuinfo && grep -qw bmi2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
    # For this machine's own processor; packages are built without it. A folder of its own, or each change of flags builds all anew.
    flags=(-c release --product varve --static-swift-stdlib --scratch-path .build/v3 -Xcc -march=x86-64-v3)
  fi
  swift build "${flags[@]}" >&2 || return 1
  varve=$(swift build "${flags[@]}" --show-bin-path)/varve
}
