#!/usr/bin/env python3
"""Times convert beside cp and convert_hf_to_gguf.py: a random Llama of 1.1 billion parameters, BF16, in two shards (2.2 GB), to F16 and Q8_0.

    convert.py WORKDIR [--llama LLAMA_CPP_DIR] [--python PYTHON] [--command target/dist/bin/lucifer-llama] [--rounds 3]

WORKDIR needs 7 GB. Without --llama the reference is left out; PYTHON is an interpreter with what it needs. Files are read from the page cache in every round; the
best round counts. Memory: the largest anonymous resident size seen, which leaves out mapped files. Prints a table and the load of the machine.
"""
import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
H, FF, LAYERS, HEADS, KV, V = 2048, 5632, 22, 32, 4, 32000


def checkpoint(folder):
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {"model.embed_tokens.weight": (V, H), "model.norm.weight": (H,), "lm_head.weight": (V, H)}
    for i in range(LAYERS):
        p = f"model.layers.{i}."
        shapes |= {p + "self_attn.q_proj.weight": (H, H), p + "self_attn.k_proj.weight": (H // HEADS * KV, H),
                   p + "self_attn.v_proj.weight": (H // HEADS * KV, H), p + "self_attn.o_proj.weight": (H, H), p + "mlp.gate_proj.weight": (FF, H),
                   p + "mlp.up_proj.weight": (FF, H), p + "mlp.down_proj.weight": (H, FF), p + "input_layernorm.weight": (H,),
                   p + "post_attention_layernorm.weight": (H,)}
    rng = np.random.default_rng(1)
    names = list(shapes)
    where = {}
    for k, part in enumerate((names[:len(names) // 2], names[len(names) // 2:])):
        file = f"model-{k + 1:05d}-of-00002.safetensors"
        header, at = {}, 0
        for n in part:
            size = 2 * int(np.prod(shapes[n]))
            header[n] = {"dtype": "BF16", "shape": shapes[n], "data_offsets": [at, at + size]}
            at += size
            where[n] = file
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / file, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text)
            for n in part:
                out.write(((rng.standard_normal(shapes[n], dtype=np.float32) * np.float32(0.02)).view(np.uint32) >> 16).astype(np.uint16).tobytes())
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": H, "intermediate_size": FF, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "vocab_size": V,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16"}))
    for name in ("tokenizer.model", "tokenizer_config.json"):
        shutil.copy(HERE.parent / "fixtures/convert/mixtral-bin" / name, folder / name)


def measure(command, clean):
    """Wall and processor seconds, and the largest anonymous memory in MB."""
    clean()
    os.sync()
    start, before = time.monotonic(), os.times()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        try:
            for line in open(f"/proc/{process.pid}/status"):
                if line.startswith("RssAnon"):
                    peak = max(peak, int(line.split()[1]))
        except OSError:
            pass
        time.sleep(0.02)
    wall, after = time.monotonic() - start, os.times()
    if process.returncode:
        sys.exit(f"{command[0]} failed: {process.stderr.read().decode()[-800:]}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return wall, cpu, peak / 1024


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("work", type=Path)
    ap.add_argument("--llama", type=Path)
    ap.add_argument("--python", default=sys.executable)
    ap.add_argument("--command", default=str(HERE.parents[2] / "target/dist/bin/lucifer-llama"))
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    model = a.work / "model"
    if not (model / "config.json").is_file():
        checkpoint(model)
    out, copies = a.work / "out.gguf", a.work / "copies"
    shards = sorted(model.glob("*.safetensors"))

    def clean():
        out.unlink(missing_ok=True)
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir()
        for shard in shards:                       # into the page cache
            with open(shard, "rb") as f:
                while f.read(1 << 24):
                    pass

    jobs = {"cp": ["cp", *map(str, shards), str(copies)]}
    for kind in ("f16", "q8_0"):
        jobs[f"convert to {kind}"] = [a.command, "convert", str(model), "--outfile", str(out), "--outtype", kind, "-q"]
        if a.llama:
            jobs[f"convert_hf_to_gguf.py to {kind}"] = [a.python, str(a.llama / "convert_hf_to_gguf.py"), str(model), "--outfile", str(out), "--outtype", kind]
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    best = {name: min((measure(command, clean) for _ in range(a.rounds)), key=lambda m: m[0]) for name, command in jobs.items()}
    clean()
    shutil.rmtree(copies)
    print("| | wall s | processor s | memory MB | wall, cp = 1 |\n| --- | --- | --- | --- | --- |")
    for name, (wall, cpu, memory) in best.items():
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {memory:.0f} | {wall / best['cp'][0]:.1f} |")
    print(f"load {os.getloadavg()[0]:.1f}")


main()
