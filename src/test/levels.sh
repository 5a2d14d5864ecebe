#!/usr/bin/env bash
# The tests whose numbers depend on the CPU, on each of ggml's CPU levels that this machine can run: src/test/levels.sh [LEVEL]...
# mvn verify runs them on the best and on the lowest.
set -euo pipefail
cd "$(dirname "$0")/../.."
verify() { mvn -q --batch-mode -Dlucifer.native.preset=release -DskipTests "$@"; }

verify package
if [ $# -eq 0 ]; then # the one that is used, and those that are not because it is better
    mapfile -t levels < <(LUCIFER_LLAMA_AOT=off target/dist/bin/lucifer-llama devices |
        sed -n '/lacks instructions/d; s/.*libggml-cpu-\([a-z0-9_.]*\)\.so.*/\1/p' | sort -u)
    set -- "${levels[@]}"
fi
[ $# -gt 0 ] || { echo "levels.sh: no level found" >&2; exit 1; }
native/levels release "$@"
tests=$(sed -n 's/.*<lucifer.cpu.tests>\(.*\)<.*/\1/p' pom.xml),QuantizeGoldenIT
failed=()
for level; do
    echo "== $level"
    mvn -q --batch-mode verify -Dlucifer.native.preset=release -Dlucifer.native.folder="$PWD/build/native/release/levels/$level" -Dtest=NoSuchTest \
        -Dsurefire.failIfNoSpecifiedTests=false -Dit.test="$tests" -Dfailsafe.failIfNoSpecifiedTests=false || failed+=("$level")
done
[ ${#failed[@]} -eq 0 ] || { echo "levels.sh: failed on ${failed[*]}" >&2; exit 1; }
