case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) system=linux-x86_64 ;;
    Linux-aarch64 | Linux-arm64) system=linux-aarch64 ;;
    Darwin-arm64) system=macos-arm64 ;;
    Darwin-x86_64) system=macos-x86_64 ;;
    MINGW*-x86_64 | MSYS*-x86_64 | CYGWIN*-x86_64) system=windows-x86_64 ;;
    *) system=unknown ;;
esac
