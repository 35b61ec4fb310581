#!/bin/sh
# System packages of the tests: installed when root, else named. Tests that lack one say so and are skipped
# (they fail when CI is set).
set -eu
missing=""
have() { command -v "$1" >/dev/null 2>&1; }
have chromium || have chromium-browser || have google-chrome || missing="$missing chromium"
have redis-server || missing="$missing redis-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || have initdb || missing="$missing postgresql"
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing="$missing rabbitmq-server"
have promtool || missing="$missing prometheus"
have nginx || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "mtp: installing$missing" >&2
    apt-get update -qq >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    # Debian starts what it installs; the tests start their own.
    for service in prometheus rabbitmq-server nginx; do
        case "$missing" in *"$service"*)
            command -v systemctl >/dev/null 2>&1 && systemctl disable --now "$service" >/dev/null 2>&1 || true ;;
        esac
    done
else
    echo "mtp: some tests will be skipped; to run them all: sudo apt-get install$missing" >&2
fi
