#!/usr/bin/env bash
# Looks for inputs that end the process, by libFuzzer and AddressSanitizer: native/fuzz/run.sh ENTRY SECONDS [LIBFUZZER-OPTION]...
# ENTRY is a driver beside this script: adapter, grammar, imatrix, model, state, template, tokenize. What it learns stays in
# build/native/fuzz/corpus/ENTRY, a fault's input in build/native/fuzz/faults/ENTRY-*; it belongs into native/fuzz/corpus/ENTRY, with the mend.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
entry=$1 seconds=$2
shift 2
cd "$(dirname "$0")/.."
[ -d "fuzz/corpus/$entry" ] || { echo "run.sh: no entry '$entry', expected one of:" fuzz/corpus/* >&2; exit 2; }
if ! command -v clang++ >/dev/null || ! compgen -G "$(clang++ -print-resource-dir)/lib/*/libclang_rt.fuzzer-*" >/dev/null; then
    echo "run.sh: clang with libFuzzer is missing. Debian: apt install clang libclang-rt-dev (Debian 12: libclang-rt-14-dev) llvm" >&2
    exit 1
fi

build=../build/native/fuzz
[ -f $build/build.ninja ] || cmake --preset fuzz
cmake --build $build --target "fuzz-$entry"

mkdir -p "$build/corpus/$entry" $build/faults
inputs=()
while IFS= read -r path; do
    if [ -d "$path" ]; then inputs+=("$path"/*); else inputs+=("$path"); fi
done < "$build/fuzz/fuzz-$entry.inputs"
# Leaks are not looked for: the models of a driver live as long as it does.
export ASAN_OPTIONS=detect_leaks=0
exec "$build/fuzz/fuzz-$entry" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 -max_len=262144 -detect_leaks=0 -print_final_stats=1 \
    -artifact_prefix="$build/faults/$entry-" -seed_inputs="$(IFS=,; echo "${inputs[*]}")" "$@" "$build/corpus/$entry"
