#!/usr/bin/env bash
# Gets from the machine what pip cannot: where we are root on a Debian it is installed, elsewhere
# the command to type is said.
#
#   machine.sh venv PYTHON FOLDER   make a virtual environment
#   machine.sh encoders             have GStreamer, an encoder beside ffmpeg for `make matrix`
#   machine.sh bench                have wrk, the load generator of `make bench`
#   machine.sh tests                have what the tests start: PostgreSQL's server, PgBouncer, curl, Chromium, ffmpeg, nginx, Node.js, a JDK
set -euo pipefail

# Install Debian packages, or say how to and fail.
debian() {
  local why=$1
  shift
  if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "$why" >&2
    echo "On Debian: sudo apt-get install $*" >&2
    return 1
  fi
  echo "$why Installing $* ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends "$@" </dev/null >/dev/null
}

venv() {
  local python=$1 folder=$2 version
  if [[ -z $python ]]; then
    debian "Homeroom needs Python 3.11 or newer, and there is none." python3 python3-venv
    python=python3
  fi
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Homeroom needs Python 3.11 or newer; $python is $("$python" -V)." >&2
    echo "Name another one: make PYTHON=/path/to/python3.11 ..." >&2
    return 1
  fi
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    debian "$python cannot make virtual environments: ensurepip is missing." "python$version-venv"
  fi
  "$python" -m venv --clear "$folder"
}

encoders() {
  command -v gst-launch-1.0 >/dev/null && gst-inspect-1.0 --exists rtmp2sink &&
    gst-inspect-1.0 --exists x264enc && gst-inspect-1.0 --exists flvmux && return
  # The cells of what is missing are skipped, and say so; where CI is set they fail.
  debian "The matrix of encoders publishes by GStreamer, which is missing here." \
    gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad,ugly} || [[ -z ${CI:-} ]]
}

bench() {
  command -v wrk >/dev/null && return
  # Without it the load is sent by a slower generator in Python, and the report says so.
  debian "The load of the bench comes from wrk, which is missing here." wrk || :
}

tests() {
  local missing=()
  if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then
    missing+=(postgresql)
  fi
  [[ -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || missing+=(pgbouncer)
  command -v curl >/dev/null || missing+=(curl)
  command -v ffmpeg >/dev/null || missing+=(ffmpeg)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v strace >/dev/null || missing+=(strace)
  [[ -e /usr/lib/nginx/modules/ngx_stream_module.so ]] || missing+=(nginx libnginx-mod-stream)
  [[ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ]] || missing+=(libnginx-mod-rtmp)
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
  # Java's own HTTP client is one of the clients; a JRE alone cannot run its source.
  command -v javac >/dev/null || missing+=(default-jdk-headless)
  # What drives Chromium, Playwright's own node, is linked against it.
  compgen -G '/usr/lib/*/libatomic.so.1' >/dev/null || missing+=(libatomic1)
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
  if ((${#missing[@]})); then
    # Tests that miss something are skipped, and say so; where CI is set they fail, so we do at once.
    debian "The tests start programs that are missing here: ${missing[*]}." "${missing[@]}" ||
      [[ -z ${CI:-} ]]
  fi
  [[ -z ${CI:-} ]] || encoders
}

case ${1:-} in
  venv) venv "${2:-}" "${3:?folder}" ;;
  encoders) encoders ;;
  bench) bench ;;
  tests) tests ;;
  *)
    echo "usage: machine.sh venv PYTHON FOLDER | encoders | bench | tests" >&2
    exit 2
    ;;
esac
