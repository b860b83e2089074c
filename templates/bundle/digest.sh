# Prints the SHA-256 of what is on standard input.
if command -v sha256sum >/dev/null 2>&1; then
    digest() { sum=$(sha256sum) && printf '%s' "${sum%% *}"; }
elif command -v shasum >/dev/null 2>&1; then
    digest() { sum=$(shasum -a 256) && printf '%s' "${sum%% *}"; }
else
    fail "Neither sha256sum nor shasum is on this system, so nothing can be checked."
fi
