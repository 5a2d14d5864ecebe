#!/usr/bin/env bash
# All benchmarks in one run; prints the tables of README.md's section on speed. Needs a quiet machine, Linux, and what the build needs.
#     src/test/bench/run.sh [speed|start|memory|peer|work]...
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=build/bench
lib=$work/lib
what=${*:-speed start memory peer work}

./lucifer-llama --version >/dev/null # builds what is missing
mvn -q test-compile
. src/main/dist/bin/find-jdk.sh
find_jdk
java=$jdk/bin/java
class_path=target/test-classes:target/dist/lib/*
run() {
    "$java" --enable-native-access=ALL-UNNAMED -Dai.luciferai.llama.native="$PWD/build/native/dev/lib" -cp "$class_path" "$@"
}

cmake -G Ninja -S src/test/bench -B "$work" -DCMAKE_BUILD_TYPE=Release >"$work.log"
cmake --build "$work" >>"$work.log"
tiny=src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf
big=$work/random-100m-q8_0.gguf
[ -f "$big" ] || run ai.luciferai.llama.bench.RandomModel "$big"

for library in libllama.so libggml-cpu.so; do
    cmp -s "$lib/$library" "build/native/dev/lib/$library" && same=yes || same=no
    echo "$library byte for byte the same on both sides: $same"
done
uname -sr
echo "load of the machine: $(cut -d' ' -f1-3 /proc/loadavg); $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"

for one in $what; do
    case $one in
        speed)
            run ai.luciferai.llama.bench.Speed "$lib/llama-bench" target/dist/bin/lucifer-llama "$big" 2 10 60 128 16
            run ai.luciferai.llama.bench.Speed "$lib/llama-bench" target/dist/bin/lucifer-llama "$tiny" 1 5 100 512 128 ;;
        start)
            LUCIFER_LLAMA_AOT=create target/dist/bin/lucifer-llama # else it is made beside the first runs
            run ai.luciferai.llama.bench.FirstToken "$lib/llama-completion" target/dist/bin/lucifer-llama "$tiny" 20 ;;
        memory) run -Xms64m -Xmx64m -XX:+AlwaysPreTouch -XX:+UseSerialGC ai.luciferai.llama.bench.MemoryGrowth 1000 1000 ;;
        peer)
            mvn -q dependency:get -Dartifact=de.kherud:llama:4.2.0
            jar=${HOME}/.m2/repository/de/kherud/llama/4.2.0/llama-4.2.0.jar
            for round in 1 2 3; do
                echo "de.kherud:llama 4.2.0, round $round"
                "$java" --enable-native-access=ALL-UNNAMED -cp "$jar" src/test/bench/Kherud.java "$big" 3 2>/dev/null | grep -E '^(load_ms|tok_s)'
                echo "lucifer-llama, round $round"
                run ai.luciferai.llama.bench.Answering "$big" 3
            done ;;
        work) # 6 GB on the disk, and a quarter of an hour
            large=$work/random-1.1b
            [ -f "$large-f16.gguf" ] || run ai.luciferai.llama.bench.RandomModel "$large-f16.gguf" large
            [ -f "$large-q8_0.gguf" ] || target/dist/bin/lucifer-llama quantize "$large-f16.gguf" "$large-q8_0.gguf" Q8_0 -q
            run ai.luciferai.llama.bench.Work quantize "$lib" target/dist/bin/lucifer-llama "$large-f16.gguf" Q8_0 2 3
            run ai.luciferai.llama.bench.Work quantize "$lib" target/dist/bin/lucifer-llama "$large-f16.gguf" Q4_K_M 2 3
            run ai.luciferai.llama.bench.Work evaluate "$lib" target/dist/bin/lucifer-llama "$large-q8_0.gguf" README.md 4 2 3
            run ai.luciferai.llama.bench.Work imatrix "$lib" target/dist/bin/lucifer-llama "$large-q8_0.gguf" README.md 4 2 1 ;;
        *) echo "unknown benchmark '$one': speed, start, memory, peer, work" >&2; exit 2 ;;
    esac
done
