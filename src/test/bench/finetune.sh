#!/usr/bin/env bash
# Training against PyTorch PEFT on one thread each, and the git task from start to end; prints README's numbers. Needs a quiet machine.
# Of the git task, ours is measured with reading the model and the data, PEFT's without. The JVM is set as lucifer-llama sets it.
#     [ROUNDS=3] [QVAC=…/llama-finetune-lora] src/test/bench/finetune.sh PYTHON CHECKPOINT
# PYTHON has torch, transformers, peft, gguf; CHECKPOINT is the folder of lucifer-tiny's checkpoint; QVAC is the program of qvac-fabric-llm.cpp.
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
    echo "  PEFT f32, padded:          $("$python" src/test/bench/peft_train.py task "$checkpoint" "$git" 4 padded)"
    echo "  PEFT f32, packed:          $("$python" src/test/bench/peft_train.py task "$checkpoint" "$git" 4 packed)"
    echo "  ours, F16:                 $(run ai.luciferai.llama.bench.GitTask speed "$tiny" "$work")"
done

# The git prompts and answers as plain text in windows of 128 tokens, one window a step, both on the F32 model. qvac-fabric's windows overlap by
# half; it also evaluates on a twentieth of them, which is left out of its tokens.
if [ -n "${QVAC:-}" ]; then
    "$python" -c 'import json, sys; print("\n\n".join(json.loads(line)["text"] for line in open(sys.argv[1])))' "$git" >"$work/git.txt"
    ./lucifer-llama convert "$checkpoint" --outfile "$work/tiny-f32.gguf" --outtype f32 --force -q >/dev/null
    TIMEFORMAT="%U s of processor time"
    for round in $(seq "${ROUNDS:-3}"); do
        echo "plain text, rank 16, learning rate 1e-4, round $round"
        echo "  qvac-fabric:"
        time "$QVAC" -m "$work/tiny-f32.gguf" -f "$work/git.txt" -t 1 -tb 1 -c 128 -b 128 -ub 128 -fa off --lora-rank 16 --lora-alpha 32 --lora-modules all \
            --learning-rate 1e-4 --output-adapter "$work/qvac.gguf" --checkpoint-save-dir "$work/qvac" 2>&1 | tr '\r' '\n' | grep -a '^train' | sed -n '$s/.*data=/    windows and loss: /p'
        echo "  ours:"
        time ./lucifer-llama finetune --model-base "$work/tiny-f32.gguf" --train-data "$work/git.txt" --lora-out "$work/ours.gguf" --force --epochs 1 \
            --batch-size 1 --seq-len 128 --rank 16 --alpha 32 --lr 1e-4 --lr-schedule constant --threads 1 --json-steps 2>/dev/null \
            | grep '"step"' | sed -n 's/^/    /; 1p; $p'
    done
fi

for type in F16 Q4_K_M; do
    base=$tiny
    if [ "$type" != F16 ]; then
        base=$work/tiny-$type.gguf
        ./lucifer-llama quantize --force "$tiny" "$base" "$type"
    fi
    run ai.luciferai.llama.bench.GitTask task "$base" "$work"
done
