#!/bin/bash
# Installs the Debian package into a clean root, runs it there under a systemd of its own, upgrades, removes and purges
# it. As root; needs mmdebstrap, unshare, nsenter and python3 here. Nothing outside the scratch folder is touched, and
# the root has no network but its own loopback. Debian's mirror is asked for the packages that it needs.
#
# usage: deb-test.sh PACKAGE [SUITE]
#   SUITE   bookworm when not given; its root is kept in .build-deb/SUITE.tar for the next time
set -euo pipefail

[ $# -ge 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 64; }
package=$(realpath "$1")
suite=${2:-bookworm}
here=$(dirname "$(realpath "$0")")
cd "$here/.."
for tool in mmdebstrap unshare nsenter python3 dpkg-deb; do
    command -v $tool >/dev/null || { echo "skipped: the package in a clean root (no $tool)"; exit 0; }
done

scratch=$(mktemp -d)
root=$scratch/root
holder=
cgroup=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/tollkey-deb-test.$$

finish() {
    # Callers and their provider; the root itself is the next line's.
    # shellcheck disable=SC2046 # one number per word
    kill $(jobs -p) 2>/dev/null || true
    [ -z "$holder" ] || kill -KILL "$holder" 2>/dev/null || true
    [ -z "$holder" ] || wait "$holder" 2>/dev/null || true
    # What was below goes from the leaves on, as soon as the last process has gone.
    for _ in 1 2 3 4 5; do
        find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [ -d "$cgroup" ] || break
        sleep 0.2
    done
    rm -rf --one-file-system "$scratch"
}
trap finish EXIT

say() { echo "==> $*"; }
fail() {
    echo "FAILED: $*" >&2
    [ -z "$holder" ] || inside journalctl -u tollkey --no-pager -n 20 >&2 || true
    exit 1
}
# In the booted root.
inside() { nsenter -t "$init" -m -u -i -p -n -C env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
# Our own callers and their provider, on its loopback. In a process of its own, so that `$!` is it.
beside() { exec nsenter -t "$init" -n python3 "$here/deb-test-load.py" "$@"; }
state_of() { inside systemctl show -p ActiveState --value "$1"; }

if command -v lintian >/dev/null; then
    say "lintian"
    # It is not for Debian's own archive.
    lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$package" 2>/dev/null || fail "lintian"
fi

say "a clean $suite"
mkdir -p .build-deb
[ -e ".build-deb/$suite.tar" ] || mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus "$suite" ".build-deb/$suite.tar"
mkdir "$root"
tar -C "$root" -xf ".build-deb/$suite.tar"
cp "$package" "$root/var/cache/tollkey.deb"
# An upgrade: the same with a higher number.
dpkg-deb -R "$package" "$scratch/next"
sed -i 's/^Version: .*/&+next/' "$scratch/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$scratch/next" "$root/var/cache/next.deb" >/dev/null
cp /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" apt-get update -qq
chroot "$root" apt-get install -qq --no-install-recommends --download-only /var/cache/tollkey.deb >/dev/null

say "boots"
mkdir "$cgroup"
# The folder of control groups is entered from outside, so that the one inside is the top of what the root sees.
(
    echo "$BASHPID" >"$cgroup/cgroup.procs"
    exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup --net sh -ec '
        root=$1
        mount --make-rprivate /
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        # Settings of the kernel are the machine'"'"'s, not this root'"'"'s.
        mount --bind "$root/proc/sys" "$root/proc/sys"
        mount -o remount,bind,ro "$root/proc/sys"
        mount -t sysfs -o ro sysfs "$root/sys"
        mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
        mount -t tmpfs tmpfs "$root/run"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        for device in null zero full random urandom tty; do
            touch "$root/dev/$device"
            mount --bind "/dev/$device" "$root/dev/$device"
        done
        mkdir "$root/dev/pts" "$root/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
        ln -s pts/ptmx "$root/dev/ptmx"
        ln -s /proc/self/fd "$root/dev/fd"
        ip link set lo up
        cd "$root"
        mkdir -p old
        pivot_root . old
        umount -l /old
        # systemd mounts credentials from beside, and they have to be seen.
        mount --make-rshared /
        exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd systemd.unit=multi-user.target
    ' sh "$root"
) >"$scratch/boot" 2>&1 &
holder=$!
init=
for _ in $(seq 100); do
    init=$(pgrep -P "$holder" | head -n 1 || true)
    [ -n "$init" ] && [ "$(cat "/proc/$init/comm" 2>/dev/null)" = systemd ] &&
        inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded' && break
    kill -0 $holder 2>/dev/null || { cat "$scratch/boot" >&2; fail "systemd did not start"; }
    sleep 0.2
done
inside systemctl --version | head -n 1

say "installs"
inside sh -c 'dpkg -i /var/cache/apt/archives/*.deb /var/cache/tollkey.deb' >"$scratch/dpkg" 2>&1 || { cat "$scratch/dpkg"; fail "not installed"; }
inside tollkey --version
[ "$(state_of tollkey.service)" = inactive ] || fail "it was started without a configuration"
[ "$(inside systemctl is-enabled tollkey.service || true)" = disabled ] || fail "it was enabled"
inside bash -c 'source /usr/share/bash-completion/completions/tollkey && complete -p tollkey >/dev/null'
inside env PIAXIS_API_KEY=x sh -c 'printf "providers: { piaxis: { use: piaxis, secrets: { api_key: \"\${env:PIAXIS_API_KEY}\" } } }\n" >/tmp/p.yaml && tollkey check --config /tmp/p.yaml'
inside sh -c 'systemctl start tollkey; sleep 1; systemctl show -p ExecMainStatus --value tollkey' 2>/dev/null | grep -qx 78 ||
    fail "a start without a configuration does not end with 78"

say "runs, with a credential and through the socket"
beside upstream 9000 &
upstream=$!
inside sh -ec '
    mkdir -p /etc/credstore /etc/systemd/system/tollkey.service.d
    (umask 077 && echo test-key >/etc/credstore/echo-key)
    printf "[Service]\nLoadCredential=echo-key:/etc/credstore/echo-key\n" >/etc/systemd/system/tollkey.service.d/credentials.conf
    printf "%s\n" "listen: 127.0.0.1:8080" "providers:" "  echo:" "    upstream: http://127.0.0.1:9000" \
        "    secrets: { key: \"\${credential:echo-key}\" }" "    inject: { Authorization: \"Bearer \${key}\" }" \
        "    categories: { all: { match: \"* /**\", limit: 1000000/hour } }" >/etc/tollkey/proxy.yaml
    systemctl daemon-reload
    systemctl enable --now -q tollkey.socket
    systemctl enable --now -q tollkey.service' || fail "it does not start"
until nsenter -t "$init" -n bash -c ': </dev/tcp/127.0.0.1/9000' 2>/dev/null || ! kill -0 $upstream; do sleep 0.1; done
(beside load 8080 20) || fail "calls do not pass"
[ "$(state_of tollkey.service)" = active ] || fail "it is not active"

say "reloads: $(inside systemctl show -p Type tollkey)"
inside systemctl reload tollkey
sleep 0.5
[ "$(inside journalctl -u tollkey --no-pager | grep -c '"reloaded"')" = 1 ] || fail "not one reload"

say "restarts under load"
beside load 8080 20000 &
load=$!
for _ in 1 2 3; do sleep 0.5; inside systemctl restart tollkey; done
sleep 0.5
kill $load
wait $load || fail "calls failed during a restart"

say "upgrades under load"
before=$(inside systemctl show -p MainPID --value tollkey)
beside load 8080 20000 &
load=$!
inside dpkg -i /var/cache/next.deb >/dev/null
sleep 0.5
kill $load
wait $load || fail "calls failed during an upgrade"
[ "$(inside systemctl show -p MainPID --value tollkey)" != "$before" ] || fail "the upgrade did not restart it"
[ "$(state_of tollkey.service)" = active ] || fail "it is not active after the upgrade"
inside test -d /var/lib/private/tollkey || fail "there is no state"

say "fails clearly when it cannot be started"
inside sh -c 'echo "mistaken: 1" >>/etc/tollkey/proxy.yaml; ! systemctl restart tollkey' 2>/dev/null || fail "it starts with a mistake"
(beside load 8080 4 >/dev/null) && fail "somebody answers"
[ "$(state_of tollkey.socket)" = failed ] || fail "callers are kept waiting for ever"
inside sh -ec 'sed -i /mistaken/d /etc/tollkey/proxy.yaml; systemctl reset-failed tollkey; systemctl restart tollkey.socket tollkey'
(beside load 8080 20) || fail "calls do not pass again"

say "removes"
inside apt-get remove -qq tollkey >/dev/null 2>&1
[ "$(state_of tollkey.service)" = inactive ] || fail "it runs on after its removal"
! inside test -e /usr/bin/tollkey || fail "the binary is still there"
inside test -d /var/lib/private/tollkey || fail "a removal took the state"

say "purges"
inside apt-get purge -qq tollkey >/dev/null 2>&1
kill $upstream 2>/dev/null || true
left=$(inside find / -xdev \( -path /proc -o -path /var/cache -o -path /tmp -o -path /var/tmp \) -prune -o -name '*tollkey*' -print | sort)
expected='/etc/systemd/system/tollkey.service.d
/etc/tollkey'
[ "$left" = "$expected" ] || fail "left behind: $left"
echo "left: what the operator wrote, $(echo "$left" | tr '\n' ' ')"
say "all is well"
