#!/bin/sh
# Lays out the image's file system. Usage: assemble.sh <folder with meeshy and ca-certificates.crt> <new root>
#
# The libraries are those that the binary names, from the Debian release it was built on; its C library
# resolves names by itself, so no further one is loaded later.
set -eu
from=$1
root=$2

install -D --mode=755 "$from/meeshy" "$root/usr/bin/meeshy"
install -D --mode=644 "$from/ca-certificates.crt" "$root/etc/ssl/certs/ca-certificates.crt"

libraries=$(ldd "$from/meeshy") || { echo "assemble: ldd does not know this binary" >&2; exit 1; }
case $libraries in *"not found"*) echo "assemble: built on another release: $libraries" >&2; exit 1 ;; esac
# Each line ends in "=> /path (address)", or is "/path (address)" for the loader itself.
echo "$libraries" | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p' | while read -r library; do
    install -D --mode=755 "$library" "$root$library"
done

# What a scanner needs to know where the libraries come from.
mkdir -p "$root/var/lib/dpkg/status.d"
for package in libc6 libgcc-s1; do
    dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
done
install -D --mode=644 /etc/os-release "$root/etc/os-release"

printf 'root:x:0:0:root:/nonexistent:/nonexistent\nmediaserver:x:1001:1001:Meeshy Calls:/data:/nonexistent\n' >"$root/etc/passwd"
printf 'root:x:0:\nmediaserver:x:1001:\n' >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"

# Only here may the server write: its volume, and scratch space if some is mounted.
install -d --mode=700 --owner=1001 --group=1001 "$root/data"
install -d --mode=1777 "$root/tmp"
