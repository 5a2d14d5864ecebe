#!/usr/bin/env python3
"""Converts every model folder with the command and compares the bytes with the reference's files.

    convert_matrix.py MODELS GOLD [--command lucifer-llama] [--types f32 f16 bf16 q8_0 auto] [--only NAME ...]

MODELS holds one folder per model, GOLD the files NAME-TYPE.gguf that convert_hf_to_gguf.py made of them. Prints a table: = for equal bytes, a word else.
Exit code 1 when any file differs.
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
ap.add_argument("--command", default="./lucifer-llama")
ap.add_argument("--types", nargs="+", default=["f32", "f16", "bf16", "q8_0", "auto"])
ap.add_argument("--only", nargs="+")
a = ap.parse_args()

bad = 0
print("| model | " + " | ".join(a.types) + " |\n|" + " --- |" * (len(a.types) + 1))
for folder in sorted(p for p in a.models.iterdir() if p.is_dir() and (not a.only or p.name in a.only)):
    row = []
    for kind in a.types:
        gold = a.gold / f"{folder.name}-{kind}.gguf"
        with tempfile.TemporaryDirectory() as tmp:
            out = Path(tmp) / "out.gguf"
            run = subprocess.run([a.command, "convert", str(folder), "--outfile", str(out), "--outtype", kind, "-q"], capture_output=True, text=True)
            if run.returncode:
                row.append("refused" if run.returncode in (3, 4) else f"exit {run.returncode}")
                bad += gold.is_file()
            elif not gold.is_file():
                row.append("no reference")
            else:
                same = filecmp.cmp(out, gold, shallow=False)
                row.append("=" if same else "DIFFERENT")
                bad += not same
    print(f"| {folder.name} | " + " | ".join(row) + " |", flush=True)
sys.exit(bad > 0)
