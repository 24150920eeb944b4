#!/bin/sh
# Installs those of the named Debian packages that are missing, and touches nothing else.
#
# usage: packages.sh [--optional] PACKAGE…
#   --optional   what cannot be installed is named, and that is all
set -eu

optional=
if [ "${1:-}" = --optional ]; then
    optional=yes
    shift
fi

# By what the package is wanted for first: on other systems, and in other places, it may be there under another name.
is_there() {
    case $1 in
    libssl-dev) [ -e /usr/include/openssl/ssl.h ] || [ -e /usr/local/include/openssl/ssl.h ] ;;
    libyaml-dev) [ -e /usr/include/yaml.h ] || [ -e /usr/local/include/yaml.h ] ;;
    libcurl4-openssl-dev) [ -e /usr/include/curl/curl.h ] || [ -e /usr/local/include/curl/curl.h ] ;;
    libsqlite3-dev) [ -e /usr/include/sqlite3.h ] || [ -e /usr/local/include/sqlite3.h ] ;;
    libhiredis-dev) [ -e /usr/include/hiredis/hiredis.h ] || [ -e /usr/local/include/hiredis/hiredis.h ] ;;
    ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] ;;
    python3-requests) python3 -c 'import requests' 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac || [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Ends: a missing package is in the way, unless it is optional.
give_up() {
    echo "missing:$missing$1" >&2
    [ -n "$optional" ] && exit 0
    exit 1
}

missing=
for package in "$@"; do
    is_there "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || give_up " (Debian's names; this system has no apt-get)"
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up "; as root: apt-get install$missing"
    as_root=sudo
fi

echo "Installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # one word per package
if ! {
    $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
} </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    give_up " (apt-get could not install them)"
fi
