#!/usr/bin/env bash
# Packs what checks all verbs on a machine with an NVIDIA GPU and nothing else: a JDK's runtime, the distribution with every CPU level and CUDA,
# llama.cpp's own tools of the same build, the checks. build/gpu-kit/kit-cuda.tar.xz (38 MB, CUDA's kernels) and kit.tar.xz (the rest) are all
# that has to travel, one after the other where there is a limit.
#     src/test/gpu/kit.sh [BACKENDS] [CMAKE-OPTION]...        without: cpu,cuda for compute capability 9.0
# CUDA takes some 75 minutes of one core the first time; ccache keeps it. There: tar xf of both, then gpu-kit/check.sh 10
set -euo pipefail
cd "$(dirname "$0")/../../.."
backends=${1:-cpu,cuda}
shift || true
[ $# -gt 0 ] || [[ $backends != *cuda* ]] || set -- -DCMAKE_CUDA_ARCHITECTURES=90
. src/main/dist/bin/find-jdk.sh
find_jdk

kit=build/gpu-kit/gpu-kit
rm -rf "$kit" && mkdir -p "$kit/data"
JAVA_HOME=$jdk mvn -q --batch-mode -DskipTests -Dlucifer.native.preset=release -Dlucifer.backends="$backends" \
    "-Dlucifer.cmake.args=-DLUCIFER_BENCH_TOOLS=ON $*" package
cp -r target/dist target/test-classes "$kit/"
mv "$kit/test-classes" "$kit/classes"
rm -f "$kit"/dist/lib/*.aot
( # the libraries lie beside the jar: once is enough
    mkdir "$kit/jar" && cd "$kit/jar"
    "$jdk/bin/jar" xf ../dist/lib/lucifer-llama.jar && rm -rf native
    "$jdk/bin/jar" --create --file ../dist/lib/lucifer-llama.jar --manifest META-INF/MANIFEST.MF --no-compress .
)
rm -rf "$kit/jar"
find "$kit/classes" -mindepth 1 -not -path '*/ai' -not -path '*/ai/luciferai*' -delete 2>/dev/null || true
for tool in llama-bench llama-perplexity llama-quantize; do
    cp "build/native/release/lib/$tool" "$kit/dist/lib/native/"
done
strip "$kit"/dist/lib/native/*.so "$kit"/dist/lib/native/llama-*
"$jdk/bin/jlink" --add-modules java.base,java.logging,java.net.http,java.xml,java.sql,jdk.management,jdk.unsupported --strip-debug --no-header-files --no-man-pages \
    --output "$kit/jdk"
strip "$kit/jdk/lib/server/libjvm.so"
cp src/test/gpu/check.sh src/test/gpu/peft_gpu.py "$kit/"
cp src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf src/test/fixtures/data/git-*.jsonl "$kit/data/"
for _ in 1 2 3; do cat README.md docs/*.md; done > "$kit/data/text.txt"
cd build/gpu-kit
cuda=gpu-kit/dist/lib/native/libggml-cuda.so
pack() { XZ_OPT='-6 -T0' tar -cJf "$@"; }
if [ -f "$cuda" ] && ! { [ -f kit-cuda.tar.xz ] && cmp -s "$cuda" cuda-packed.so; }; then
    pack kit-cuda.tar.xz "$cuda"
    cp "$cuda" cuda-packed.so
fi
pack kit.tar.xz --exclude "$cuda" gpu-kit/check.sh gpu-kit/peft_gpu.py gpu-kit/classes gpu-kit/data gpu-kit/dist gpu-kit/jdk
du -h kit*.tar.xz
