#!/usr/bin/env bash
# Training against PyTorch PEFT on one thread each, and the git task from start to end; prints README's numbers. Needs a quiet machine.
# Of the git task, ours is measured with reading the model and the data, PEFT's without. The JVM is set as lucifer-llama sets it.
#     [ROUNDS=3] src/test/bench/finetune.sh PYTHON CHECKPOINT      python with torch, transformers, peft, gguf; folder of lucifer-tiny's checkpoint
set -euo pipefail
python=$(command -v "$1")
checkpoint=$(cd "$2" && pwd)
cd "$(dirname "$0")/../../.."
work=build/bench/finetune
mkdir -p "$work"

./lucifer-llama --version >/dev/null # builds what is missing
mvn -q test-compile
. src/main/dist/bin/find-jdk.sh
find_jdk
run() {
    "$jdk/bin/java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=5 -Xmx256m \
        -Dai.luciferai.llama.native="$PWD/build/native/dev/lib" \
        -cp "target/test-classes:target/dist/lib/*" "$@"
}
export OMP_NUM_THREADS=1
tiny=src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf
git=src/test/fixtures/data/git-train.jsonl
[ -f "$work/mid-f32.gguf" ] || "$python" src/test/bench/peft_train.py make "$work"
[ -f "$work/mid-q4_k_m.gguf" ] || ./lucifer-llama quantize "$work/mid-f32.gguf" "$work/mid-q4_k_m.gguf" Q4_K_M

echo "load of the machine: $(cut -d' ' -f1-3 /proc/loadavg); $(nproc --all) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
for round in $(seq "${ROUNDS:-3}"); do
    echo "100M parameters, rank 8, 4 x 256 tokens (ours: two by two as finetune packs them; layer by layer one after the other), round $round"
    echo "  PEFT f32:                  $("$python" src/test/bench/peft_train.py dense "$work/hf" 256 4 0)"
    echo "  PEFT f32, checkpointing:   $("$python" src/test/bench/peft_train.py dense "$work/hf" 256 4 1)"
    echo "  ours, F32, whole:          $(run ai.luciferai.llama.bench.Training "$work/mid-f32.gguf" 512 256 whole)"
    echo "  ours, Q4_K_M, whole:       $(run ai.luciferai.llama.bench.Training "$work/mid-q4_k_m.gguf" 512 256 whole)"
    echo "  ours, Q4_K_M, layer:       $(run ai.luciferai.llama.bench.Training "$work/mid-q4_k_m.gguf" 256 256 layer)"
    echo "git task, one epoch, rank 16, batches of 4, round $round"
    echo "  PEFT f32, padded:          $("$python" src/test/bench/peft_train.py task "$checkpoint" "$git" 4)"
    echo "  ours, F16:                 $(run ai.luciferai.llama.bench.GitTask speed "$tiny" "$work")"
done
for type in F16 Q4_K_M; do
    base=$tiny
    if [ "$type" != F16 ]; then
        base=$work/tiny-$type.gguf
        ./lucifer-llama quantize --force "$tiny" "$base" "$type"
    fi
    run ai.luciferai.llama.bench.GitTask task "$base" "$work"
done
