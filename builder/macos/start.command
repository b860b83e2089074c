#!/bin/sh
# Starts the solofile beside this script in Terminal. Double-click it in Finder.
name={{ quoted_name }}
cd "$(dirname "$0")" || exit 1
if [ ! -f "./$name" ]; then
    echo "$name is not beside this script; put both into one folder."
    exit 1
fi
# Copying over some disks and shares loses the permission to run.
[ -x "./$name" ] || chmod +x "./$name"
if xattr -p com.apple.quarantine "./$name" >/dev/null 2>&1; then
    echo "macOS holds $name back, since it was downloaded and nobody vouches for it."
    echo "If you trust where it came from, run this in Terminal, and start this script again:"
    echo
    echo "    xattr -d com.apple.quarantine \"$PWD/$name\""
    exit 1
fi
exec "./$name" "$@"
