#!/usr/bin/env bash
# Checks all verbs on this machine's GPU; lies in the unpacked kit, which holds all that it needs (see kit.sh).
#     gpu-kit/check.sh [MINUTES=10] [OUT=results] [STEP]...
# results.md and results.json there are whole after each step; log-STEP.txt says what its programs printed. Models of random weights (35 GB) are
# written to GPU_CHECK_MODELS (/dev/shm if it is large enough). GPU_CHECK_SIZE=small: all are small, to rehearse without a GPU. PEFT is run
# beside training where a python3 (GPU_CHECK_PYTHON) has it.
set -euo pipefail
kit=$(cd "$(dirname "$0")" && pwd)
minutes=${1:-10}
out=${2:-results}
shift $(($# < 2 ? $# : 2))
mkdir -p "$out"

# CUDA's run-time libraries lie in many places.
for library in libcudart.so.13 libcublas.so.13 libcublasLt.so.13 libcuda.so.1; do
    if ! ldconfig -p 2>/dev/null | grep -q "$library"; then
        found=$(find /usr/local /opt /usr/lib /usr/lib64 -name "$library" -print -quit 2>/dev/null || true)
        [ -z "$found" ] || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${found%/*}
    fi
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}
if [ -z "${GPU_CHECK_PYTHON+set}" ] && command -v python3 >/dev/null && python3 -c 'import importlib.util as u, sys; sys.exit(not (u.find_spec("peft") and u.find_spec("torch")))' 2>/dev/null; then
    GPU_CHECK_PYTHON=$(command -v python3)
fi
if [ -z "${GPU_CHECK_MODELS:-}" ] && [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 45000000 ]; then
    GPU_CHECK_MODELS=/dev/shm/gpu-check-models
fi
export GPU_CHECK_PYTHON=${GPU_CHECK_PYTHON:-} GPU_CHECK_MODELS=${GPU_CHECK_MODELS:-$out/models}
export LUCIFER_LLAMA_JDK=$kit/jdk
exec "$kit/jdk/bin/java" -Xmx2g -XX:+UseSerialGC -cp "$kit/classes:$kit/dist/lib/*" ai.luciferai.llama.gpu.GpuCheck "$kit" "$out" "$minutes" "$@"
