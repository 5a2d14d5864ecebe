#!/usr/bin/env bash
# The only writer of bindings/java and bindings/MANIFEST.sha256. Run it after every change of native/include/lucifer_llama.h,
# of llama.symbols, of this script or of the llama.cpp version; README.md beside it says how to get jextract.
#
#   bindings/regenerate.sh            jextract from $JEXTRACT, else from PATH;
#                                     llama.cpp from $LLAMA_CPP_SOURCE_DIR, else from the native build's cache
set -euo pipefail
export LC_ALL=C

want_jextract='jextract 23'
want_libclang='19.1'
llama_version='v0.5.0' # as pinned in cmake/LlamaCpp.cmake
package='ai.luciferai.llama.bindings'

fail() {
    printf 'bindings/regenerate.sh: %s\n' "$@" >&2
    exit 1
}

root=$(cd "$(dirname "$0")/.." && pwd)
header=$root/native/include/lucifer_llama.h
symbols=$root/bindings/llama.symbols
llama=${LLAMA_CPP_SOURCE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/lucifer-llama/llama.cpp/$llama_version}
jextract=${JEXTRACT:-$(command -v jextract || true)}

[[ -x $jextract ]] || fail "no jextract: put it on PATH or name it in \$JEXTRACT (bindings/README.md says how to build it)"
[[ -f $llama/include/llama.h ]] ||
    fail "no llama.cpp $llama_version source in $llama: build the native side once, or set \$LLAMA_CPP_SOURCE_DIR"
if [[ -f $root/cmake/LlamaCpp.cmake ]] && ! grep -qF "$llama_version" "$root/cmake/LlamaCpp.cmake"; then
    fail "cmake/LlamaCpp.cmake does not pin $llama_version: change llama_version in this script to what it pins"
fi

versions=$("$jextract" --version 2>&1) || fail "$jextract --version failed:" "$versions"
grep -qxF "$want_jextract" <<<"$versions" || fail "expected $want_jextract, got:" "$versions"
grep -qF "clang version $want_libclang." <<<"$versions" || fail "expected libclang $want_libclang, got:" "$versions"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Clang's own stdint.h instead of the C library's, with long long for int64_t: the output is then the same on every machine,
# and does not call a 64-bit number "long", which it is not everywhere.
mkdir "$work/own" "$work/upstream"
printf '%s\n' -ffreestanding --target=x86_64-unknown-linux-gnu -U__INT64_TYPE__ '-D__INT64_TYPE__=long long int' \
    >"$work/own/compile_flags.txt"

# jextract warns about each opaque struct that it skips, which is what opaque structs are for.
run() {
    local folder=$1
    shift
    (cd "$folder" && "$jextract" "$@" 2>"$work/errors") || fail "jextract failed:" "$(cat "$work/errors")"
    ! grep -v 'warning: Skipping .*not supported' "$work/errors" >&2 || fail "unexpected output of jextract, above"
}

# All of our own header, and nothing that it includes.
run "$work/own" --dump-includes "$work/all" "$header"
grep -F "# header: $header" "$work/all" | sed 's/ *#.*//' | sort >"$work/own.symbols"
run "$work/own" --output "$work/java" -t "$package" "@$work/own.symbols" "$header"

# The reviewed list of upstream's constants.
run "$work/upstream" --output "$work/java" -t "$package" "@$symbols" -I "$llama/ggml/include" "$llama/include/llama.h"

if grep -rnE '"/|/home/|/usr/|/tmp/' "$work/java" >&2; then
    fail "the output names a path of this machine, above"
fi

rm -rf "$root/bindings/java"
mv "$work/java" "$root/bindings/java"

digest() { # digest TOP FILE...: sha256sum of files named relative to TOP
    (cd "$1" && shift && sha256sum "$@")
}

{
    echo "# Written by bindings/regenerate.sh, checked by BindingsDriftTest. sha256sum -c reads it from the repository's root."
    echo "# tool $want_jextract"
    echo "# tool libclang $want_libclang"
    echo "# llama.cpp $llama_version"
    digest "$llama" ggml/include/ggml.h include/llama.h | sed 's/^/# upstream /'
    echo "# inputs"
    digest "$root" bindings/llama.symbols bindings/regenerate.sh native/include/lucifer_llama.h
    echo "# outputs"
    (cd "$root" && find bindings/java -type f -print0 | sort -z | xargs -0 sha256sum)
} >"$work/manifest"
mv "$work/manifest" "$root/bindings/MANIFEST.sha256"
echo "bindings/java: $(grep -c 'bindings/java' "$root/bindings/MANIFEST.sha256") files"
