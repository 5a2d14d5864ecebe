#!/usr/bin/env bash
# All entries one after the other, for a night: native/fuzz/long.sh [SECONDS-PER-ENTRY]. A fault ends its entry, not the others; the script
# then ends with 1. Its inputs: build/native/fuzz/faults.
set -uo pipefail
seconds=${1:-3600}
cd "$(dirname "$0")"
mkdir -p ../../build/native/fuzz
code=0
for folder in corpus/*/; do
    entry=$(basename "$folder") log=../../build/native/fuzz/$(basename "$folder").log
    result=sound
    ./run.sh "$entry" "$seconds" > "$log" 2>&1 || { result="A FAULT, see $(realpath "$log")"; code=1; }
    echo "$entry: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1) inputs, $result"
done
exit $code
