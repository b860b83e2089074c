#!/bin/sh
# Starts the solofile in this folder that is made for this machine.
CDPATH=''
fail() { printf '%s\n' "$*" >&2; exit 1; }
{% include "system.sh" %}

cd "$(dirname "$0")" || exit 1
list=systems/$system.sha256
[ -f "$list" ] || fail "There is no solofile for this system in this folder; see README.txt."
found='' others=''
while read -r _ name; do
    case $name in *.minisig) continue ;; esac
    [ -f "$name" ] || fail "$name is here in parts. Put them together: sh install.sh FOLDER"
    case $name in *.weights) continue ;; esac
    [ -z "$found" ] || others=yes
    found=$name
done < "$list"
[ -z "$others" ] || fail "There are several solofiles here. Start one by its name, as ./$found"
# Copying over some disks and shares loses the permission to run.
[ -x "./$found" ] || chmod +x "./$found" 2>/dev/null
[ -x "./$found" ] || fail "This disk starts no programs. Copy it to another: sh install.sh FOLDER"
if command -v xattr >/dev/null 2>&1 && xattr -p com.apple.quarantine "./$found" >/dev/null 2>&1; then
    fail "macOS holds $found back, since it was downloaded and nobody vouches for it.
If you trust where it came from, run this in Terminal, and start this again:

    xattr -d com.apple.quarantine \"$PWD/$found\""
fi
exec "./$found" "$@"
