#!/bin/sh
# Copies the solofile for this machine into a folder. Everything is checked on the way, and what
# lies here in parts is put together. Run it again after an interruption, and it goes on.
#
#     sh install.sh FOLDER [SYSTEM]
set -u
CDPATH=''
say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
{% include "digest.sh" %}
{% include "system.sh" %}

# Whether a file of this folder is NAME, or a part of it.
is_piece() { # NAME FILE
    case $2 in "$1" | "$1".[0-9][0-9][0-9]*) return 0 ;; *) return 1 ;; esac
}

size_of() { bytes=$(wc -c < "$1") || bytes=0; printf '%s' "$((bytes))"; }

cut_off() { dd of="$1" bs=1 seek="$2" count=0 < /dev/null 2>/dev/null; } # FILE SIZE

list_missing() { # NAME
    while read -r sum file <&3; do
        if is_piece "$1" "$file" && [ ! -f "$file" ]; then say "MISSING: $file"; fi
    done 3< SHA256SUMS
}

# Adds a file of this folder to the copy, unless it is in it by now. Bytes that are wrong never
# stay: they are cut off again, or replaced by the next run.
add() { # SUM FILE
    size=$(size_of "$2")
    if [ "$(size_of "$copy")" -ge $((at + size)) ] &&
        [ "$(tail -c "+$((at + 1))" "$copy" | head -c "$size" | digest)" = "$1" ]; then
        at=$((at + size))
        return 0
    fi
    cut_off "$copy" "$at"
    say "Copying $2"
    if [ "$(tee -a "$copy" < "$2" 2>/dev/null | digest)" != "$1" ]; then
        cut_off "$copy" "$at"
        return 1
    fi
    at=$((at + size))
    [ "$(size_of "$copy")" -eq "$at" ] || fail "The disk with $to is full."
}

bring() { # SUM NAME
    if [ -f "$to/$2" ] && [ "$(digest < "$to/$2")" = "$1" ]; then
        say "$2 is there already."
        return 0
    fi
    copy=$to/$2.part at=0 broken=''
    [ -f "$copy" ] || : > "$copy" || fail "Nothing can be written to $to."
    while read -r sum file <&3; do
        is_piece "$2" "$file" || continue
        if [ -n "$broken" ]; then
            [ "$(digest < "$file")" = "$sum" ] || say "DAMAGED: $file"
        elif ! add "$sum" "$file"; then
            say "DAMAGED: $file"
            broken=yes
        fi
    done 3< SHA256SUMS
    [ -z "$broken" ] || return 1
    cut_off "$copy" "$at"
    say "Checking $2"
    if [ "$(digest < "$copy")" != "$1" ]; then
        rm -f "$copy"
        say "DAMAGED: the copy of $2. Is that disk sound? Nothing of it was kept."
        return 1
    fi
    mv -f "$copy" "$to/$2" || return 1
    case $2 in
        *.weights | *.minisig) ;;
        *) chmod 755 "$to/$2" && program=$2 ;;
    esac
}

[ $# -gt 0 ] || fail "Usage: sh install.sh FOLDER [SYSTEM]"
mkdir -p "$1" || exit 1
to=$(cd "$1" && pwd) || exit 1
system=${2:-$system} list=systems/${2:-$system}.sha256
cd "$(dirname "$0")" || exit 1
[ -f SHA256SUMS ] || fail "SHA256SUMS is missing."
if [ ! -f "$list" ]; then
    say "There is nothing for this system ($system) here. There is:"
    for list in systems/*.sha256; do list=${list#systems/}; say "    ${list%.sha256}"; done
    exit 1
fi
listed=''
while read -r sum name; do
    if [ "$name" = "$list" ]; then listed=$sum; fi
done < SHA256SUMS
[ "$(digest < "$list")" = "$listed" ] ||
    fail "DAMAGED: $list or SHA256SUMS. Copy both here again; then run this again."
missing=$(while read -r sum name; do list_missing "$name"; done < "$list")
[ -z "$missing" ] || fail "$missing
Copy that into this folder and run this again."
wrong='' program=''
while read -r sum name; do
    bring "$sum" "$name" || wrong=yes
done < "$list"
[ -z "$wrong" ] || fail "What is named above must be copied here again; then run this again."
say "Done, and every byte is as it was made. Start it:"
say "    $to/$program"
