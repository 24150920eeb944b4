#!/bin/sh
# Makes tollkey_VERSION_ARCHITECTURE.deb out of a finished binary. Needs dpkg-dev and the libraries that it links.
#
# usage: deb.sh BINARY [FOLDER]
#   BINARY   a release build: Swift's runtime is in it, which a Debian system does not have
#   FOLDER   where the package goes; .build-deb when not given
#
# The package is for the Debian that it is made on: its dependencies, and whether systemd knows notify-reload.
set -eu

[ $# -ge 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 64; }
binary=$(realpath "$1")
cd "$(dirname "$0")/.."
folder=${2:-.build-deb}
[ -x "$binary" ] || { echo "no binary at $binary" >&2; exit 1; }
for tool in dpkg-deb dpkg-shlibdeps dpkg-parsechangelog strip gzip; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (Debian's dpkg-dev and binutils)" >&2; exit 1; }
done

version=$(dpkg-parsechangelog -l packaging/deb/changelog -S Version)
said=$("$binary" --version)
case "$version" in
"$said"-*) ;;
*) echo "packaging/deb/changelog is for $version, the binary says $said" >&2; exit 1 ;;
esac
architecture=$(dpkg --print-architecture)
# The same input makes the same package: files are as old as the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

# systemd 253 brought notify-reload, about when Debian moved everything below /usr.
systemd=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "${systemd:-0}" -ge 253 ]; then units=usr/lib/systemd/system; else units=lib/systemd/system; fi

rm -rf "$folder/root" "$folder/shlibs"
root=$folder/root
umask 022
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/$units" "$root/etc/tollkey"

strip --strip-unneeded --remove-section=.comment -o "$root/usr/bin/tollkey" "$binary"
if readelf -d "$root/usr/bin/tollkey" | grep -q 'NEEDED.*libswift'; then
    echo "$binary wants Swift's shared libraries: it is no release build" >&2
    exit 1
fi

# Ours are for a binary that somebody copied; Debian's is in /usr/bin.
for unit in tollkey.service tollkey.socket; do
    sed -e 's,/usr/local/bin/tollkey,/usr/bin/tollkey,' -e 's,^\(# .*\) Copy to /etc/systemd/system/;,\1,' \
        systemd/$unit >"$root/$units/$unit"
done
if [ "${systemd:-0}" -ge 253 ]; then
    install -D -m 644 systemd/tollkey.service.d/notify-reload.conf "$root/$units/tollkey.service.d/notify-reload.conf"
fi

completions() {
    install -d "$root/$(dirname "$2")"
    # They are read, not run.
    "$binary" --generate-completion-script "$1" | sed '1{/^#!/d}' >"$root/$2"
}
completions bash usr/share/bash-completion/completions/tollkey
completions zsh usr/share/zsh/vendor-completions/_tollkey
completions fish usr/share/fish/vendor_completions.d/tollkey.fish

install -d "$root/usr/share/man/man1"
gzip -9nc man/tollkey.1 >"$root/usr/share/man/man1/tollkey.1.gz"

doc=$root/usr/share/doc/tollkey
install -d "$doc/docs/decisions" "$doc/docs/examples" "$doc/examples"
gzip -9nc packaging/deb/changelog >"$doc/changelog.Debian.gz"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
install -m 644 packaging/deb/copyright "$doc/copyright"
install -m 644 packaging/deb/README.Debian "$doc/README.Debian"
install -m 644 README.md "$doc/README.md"
(cd docs && find . -name '*.md' -o -name '*.yaml') | while read -r page; do
    install -D -m 644 "docs/$page" "$doc/docs/$page"
done
install -m 644 proxy.yaml.example "$doc/examples/proxy.yaml"
cp -R deploy/prometheus deploy/grafana deploy/compose deploy/kubernetes "$doc/examples/"
rm "$doc/examples/compose/.gitignore"
chmod -R u=rwX,go=rX "$doc"

# What the binary links, in this Debian's packages.
mkdir -p "$folder/shlibs/debian"
printf 'Source: tollkey\n\nPackage: tollkey\nArchitecture: any\n' >"$folder/shlibs/debian/control"
depends=$(cd "$folder/shlibs" && dpkg-shlibdeps -O "$(realpath "../root/usr/bin/tollkey")" |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "dpkg-shlibdeps found nothing" >&2; exit 1; }

size=$(du -k -s --apparent-size "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" -e "s/@DEPENDS@/$depends/" \
    packaging/deb/control.in >"$root/DEBIAN/control"
for script in postinst prerm postrm; do
    install -m 755 "packaging/deb/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find usr lib -type f 2>/dev/null | LC_ALL=C sort | xargs md5sum) >"$root/DEBIAN/md5sums"

find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$folder/tollkey_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
rm -rf "$folder/root" "$folder/shlibs"
echo "$package"
