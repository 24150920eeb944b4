#!/bin/sh
# Checks what is around the binary. A check whose tool is not installed is left out, with a word.
#
# usage: check-deploy.sh [BINARY] [--without KEY]…   (as scripts/deploy-test.py)
set -u
cd "$(dirname "$0")/.." || exit 1

# The exposure that docs/deployment.md promises, times ten: systemd-analyze compares whole numbers.
EXPOSURE_MAX=15
failed=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# is_there TOOL PACKAGE WHAT
is_there() {
    command -v "$1" >/dev/null && return
    echo "skipped: $3 (no $1; Debian's package is $2)"
    return 1
}

step() {
    echo "==> $*"
    "$@" || failed="$failed
    $*"
}

# The units as they are installed, with programs that this machine has.
units() {
    sed -e 's,/usr/local/bin/tollkey,/bin/true,' -e '/^Documentation=/d' systemd/tollkey.service >"$scratch/tollkey.service"
    cp systemd/tollkey.socket "$scratch/"
    systemd-analyze verify "$scratch/tollkey.service" "$scratch/tollkey.socket" || return
    systemd-analyze security --offline=true --threshold=$EXPOSURE_MAX --no-pager "$scratch/tollkey.service" \
        >"$scratch/security" || { grep '✗' "$scratch/security"; return 1; }
    tail -n 1 "$scratch/security"
    # notify-reload is for 253 and later.
    [ "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 253 ] || return 0
    cp -R systemd/tollkey.service.d "$scratch/" && systemd-analyze verify "$scratch/tollkey.service"
}

shell_scripts() {
    for script in scripts/*.sh packaging/*.sh packaging/deb/p*; do
        sh -n "$script" || return
    done
}

if is_there promtool prometheus "alerts and the scrape configuration"; then
    step promtool check config deploy/prometheus/prometheus.yml
    step promtool test rules deploy/prometheus/tollkey.rules.test.yaml
fi
step python3 scripts/dashboard-test.py
step python3 scripts/deploy-test.py "$@"
if is_there systemd-analyze systemd "the units"; then step units; fi
if is_there mandoc mandoc "the man page"; then step mandoc -T lint -W warning man/tollkey.1; fi
step shell_scripts

if [ -n "$failed" ]; then
    echo "==> failed:$failed"
    exit 1
fi
echo "==> all is well"
