#!/bin/sh
# Make or refresh .venv for `demo` (what a shop installs) or `test` (that and what the tests need).
# Does nothing when .venv already matches setup.cfg. PYTHON names another interpreter.
set -eu
cd "$(dirname "$0")/.."
wanted=${1:-demo}

fail() { echo "mtp: $*" >&2; exit 1; }
say() { echo "mtp: $*" >&2; }
can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
apt() {
    say "installing $*"
    apt-get update -qq >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
good() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=${PYTHON:-}
if [ -z "$python" ]; then
    for name in python3 python3.15 python3.14 python3.13 python3.12 python3.11; do
        if good "$name"; then python=$name; break; fi
    done
fi
[ -n "$python" ] || fail "no Python 3.11 or newer was found; install one (Debian: apt-get install python3 python3-venv) or set PYTHON"
good "$python" || fail "$python is not a Python 3.11 or newer"

stamp=.venv/.mtp-$wanted
mark=$(cat setup.cfg pyproject.toml deploy/venv.sh | cksum)-$("$python" -c 'import sys; print(sys.version)' | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$mark" ] && exit 0
# What the tests install holds what the demo needs.
[ "$wanted" = demo ] && [ -f .venv/.mtp-test ] && [ "$(cat .venv/.mtp-test)" = "$mark" ] && exit 0

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    can_apt && apt "python$version-venv"
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "this Python cannot make virtual environments; run: apt-get install python$version-venv"
fi

# durable-rules has no wheels: before Python 3.13 (where it is not used) it is compiled here.
if "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then
    header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
    missing=""
    command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || missing="gcc libc6-dev"
    [ -f "$header" ] || missing="$missing python$version-dev"
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086
        can_apt && apt $missing
        command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 ||
            fail "the rules engine durable-rules is compiled on Python $version and there is no C compiler; run: apt-get install $missing"
        [ -f "$header" ] ||
            fail "the rules engine durable-rules is compiled on Python $version and $header is missing; run: apt-get install python$version-dev"
    fi
fi

if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
    say "making .venv with Python $version"
    rm -rf .venv
    "$python" -m venv .venv
fi
extra=demo
[ "$wanted" = test ] && extra=test
say "installing the plugin and what it needs into .venv (once)"
# uv resolves and downloads in parallel; where it cannot be had, pip does the same more slowly.
export UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1
if .venv/bin/python -m pip install -q --disable-pip-version-check uv 2>/dev/null && .venv/bin/uv --version >/dev/null 2>&1; then
    .venv/bin/uv pip install --python .venv/bin/python -q -e ".[$extra]" 2>/dev/null ||
        .venv/bin/python -m pip install --disable-pip-version-check -q -e ".[$extra]"
else
    .venv/bin/python -m pip install --disable-pip-version-check -q -e ".[$extra]"
fi
echo "$mark" > "$stamp"
