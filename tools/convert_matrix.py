#!/usr/bin/env python3
"""Converts every model folder and compares the bytes with the reference's files.

    convert_matrix.py MODELS GOLD [--dist target/dist] [--java java] [--types f32 f16 bf16 q8_0 auto] [--only NAME ...]

MODELS holds one folder per model, GOLD the files NAME-TYPE.gguf that convert_hf_to_gguf.py made of them. Prints a table: = for equal bytes, a word else; what was
refused stands below it. Needs a built distribution and JDK 25 as java. Exit code 1 when any file differs, or was refused that the reference converts.
"""
import argparse
import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ap = argparse.ArgumentParser()
ap.add_argument("models", type=Path)
ap.add_argument("gold", type=Path)
ap.add_argument("--dist", type=Path, default=Path("target/dist"))
ap.add_argument("--java", default="java")
ap.add_argument("--types", nargs="+", default=["f32", "f16", "bf16", "q8_0", "auto"])
ap.add_argument("--only", nargs="+")
a = ap.parse_args()


def compare(name, kind, result, out):
    gold = a.gold / f"{name}-{kind}.gguf"
    if result != "ok":
        return "refused" if gold.is_file() else "both refuse"
    if not gold.is_file():
        return "no reference"
    return "=" if filecmp.cmp(out, gold, shallow=False) else "DIFFERENT"


folders = sorted(str(p) for p in a.models.iterdir() if p.is_dir() and (not a.only or p.name in a.only))
row, words, refusals = [], [], {}
print("| model | " + " | ".join(a.types) + " |\n|" + " --- |" * (len(a.types) + 1))
with tempfile.TemporaryDirectory() as tmp:
    run = subprocess.Popen([a.java, "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-cp", f"{a.dist}/lib/*",
                            str(Path(__file__).with_name("ConvertAll.java")), tmp, ",".join(a.types), *folders], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True)
    for line in run.stdout:
        name, kind, result = line.rstrip("\n").split("\t")
        out = Path(tmp) / f"{name}-{kind}.gguf"
        row.append(compare(name, kind, result, out))
        out.unlink(missing_ok=True)
        if result != "ok":
            refusals[name] = result
        if len(row) == len(a.types):
            print(f"| {name} | " + " | ".join(row) + " |", flush=True)
            words += row
            row = []
for name, result in refusals.items():
    print(f"{name}: {result[:300]}")
print({w: words.count(w) for w in sorted(set(words))}, file=sys.stderr)
sys.exit(run.wait() != 0 or any(w in ("DIFFERENT", "refused") for w in words))
