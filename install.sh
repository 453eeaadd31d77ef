#!/bin/sh
# Installs `autogrow` from a release on GitHub: fetches the archive for this machine, checks it against
# the release's checksums, and puts the program into ~/.local/bin.
#
#     sh install.sh [--version v0.1.0] [--to DIR] [--from URL]
#
# --from is where the files of a release lie, in place of GitHub.
set -eu

repository=https://github.com/autogrow-rs/autogrow
version=latest
to=$HOME/.local/bin
from=

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --version | --to | --from)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --version) version=$2 ;;
                --to) to=$2 ;;
                --from) from=$2 ;;
            esac
            shift 2
            ;;
        *) fail "unknown argument $1; --version, --to and --from are known" ;;
    esac
done

case $(uname -s) in
    Linux) system=unknown-linux-gnu ;;
    Darwin) system=apple-darwin ;;
    *) fail "no program for $(uname -s) here; for Windows take the archive from $repository/releases" ;;
esac
case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "no program for $(uname -m); with Rust, \`cargo install autogrow-cli --locked\` builds it" ;;
esac
name=autogrow-$machine-$system

if [ -z "$from" ]; then
    case $version in
        latest) from=$repository/releases/latest/download ;;
        *) from=$repository/releases/download/$version ;;
    esac
fi

command -v curl >/dev/null || fail "curl is missing"
command -v tar >/dev/null || fail "tar is missing"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for file in "$name.tar.gz" sha256sums.txt; do
    curl --fail --location --silent --show-error --output "$place/$file" "$from/$file" ||
        fail "$from/$file cannot be fetched"
done

wanted=$(sed -n "s/^\([0-9a-f]*\) [ *]$name\.tar\.gz\$/\1/p" "$place/sha256sums.txt")
[ -n "$wanted" ] || fail "sha256sums.txt does not name $name.tar.gz"
if command -v sha256sum >/dev/null; then
    found=$(sha256sum "$place/$name.tar.gz")
else
    found=$(shasum -a 256 "$place/$name.tar.gz")
fi
[ "${found%% *}" = "$wanted" ] || fail "$name.tar.gz is not what the release says; nothing was installed"

tar -xzf "$place/$name.tar.gz" -C "$place"
mkdir -p "$to"
# Into place by rename: a program that is running is not overwritten.
cp "$place/$name/autogrow" "$to/.autogrow.new"
chmod 755 "$to/.autogrow.new"
mv -f "$to/.autogrow.new" "$to/autogrow"
"$to/autogrow" --version | sed 1q
echo "installed as $to/autogrow"
case :$PATH: in
    *:"$to":*) ;;
    *) echo "$to is not on your PATH; add it, or call $to/autogrow" ;;
esac
