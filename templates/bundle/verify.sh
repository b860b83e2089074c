#!/bin/sh
# Checks every file of this folder against SHA256SUMS and names each that differs or is missing.
# With a public key it checks first that SHA256SUMS is signed by it, which takes minisign.
#
#     sh verify.sh [PUBLICKEY]
set -u
CDPATH=''
fail() { printf '%s\n' "$*" >&2; exit 2; }
{% include "digest.sh" %}

cd "$(dirname "$0")" || exit 2
[ -f SHA256SUMS ] || fail "SHA256SUMS is missing."
if [ $# -gt 0 ]; then
    command -v minisign >/dev/null 2>&1 ||
        fail "minisign is not installed here, so the signature cannot be checked."
    minisign -Vm SHA256SUMS -P "$1" || fail "SHA256SUMS is not signed by the key $1."
fi

count=0 wrong=0 listed='
'
while read -r sum name; do
    count=$((count + 1))
    listed="$listed$name
"
    # Large files take a while, and somebody may be watching.
    [ ! -t 2 ] || printf 'Checking %s\n' "$name" >&2
    if [ ! -f "$name" ]; then
        printf 'MISSING: %s\n' "$name"
        wrong=$((wrong + 1))
    elif [ "$(digest < "$name")" != "$sum" ]; then
        printf 'DAMAGED: %s\n' "$name"
        wrong=$((wrong + 1))
    fi
done < SHA256SUMS
for name in * */*; do
    case $name in SHA256SUMS | SHA256SUMS.minisig) continue ;; esac
    case $listed in
        *"
$name
"*) ;;
        *) [ ! -f "$name" ] || printf 'NOT IN THE LIST: %s\n' "$name" ;;
    esac
done
[ "$count" -gt 0 ] || fail "SHA256SUMS lists nothing."
if [ "$wrong" -gt 0 ]; then
    printf '%s of %s files are not as they were made. Copy those again.\n' "$wrong" "$count"
    exit 1
fi
printf 'All %s files are as they were made.\n' "$count"
