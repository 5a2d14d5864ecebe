#!/usr/bin/env python3
"""Writes the converter's data tables from llama.cpp's own sources and from the table of transformers' class defaults.

    convert_tables.py LLAMA_CPP_DIR CONFIG_DEFAULTS_JSON RESOURCES_DIR

LLAMA_CPP_DIR is a checkout of the version that cmake/LlamaCpp.cmake pins. Nothing of it is imported but two files of plain tables
(gguf/constants.py, gguf/tensor_mapping.py); the pre-tokenizer hashes are read from conversion/base.py as text.
"""
import importlib.util
import json
import re
import sys
import types
from pathlib import Path

root, defaults, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
VERSION = "llama.cpp v0.5.0 (MIT)"


def load(name):
    spec = importlib.util.spec_from_file_location(f"gguf.{name}", root / "gguf-py/gguf" / f"{name}.py")
    m = importlib.util.module_from_spec(spec)
    sys.modules[f"gguf.{name}"] = m
    spec.loader.exec_module(m)
    return m


def write(name, obj):
    def flat(v):
        return json.dumps(v, ensure_ascii=False)
    lines = []
    for k, v in obj.items():
        if isinstance(v, dict) and any(isinstance(x, (dict, list)) for x in v.values()):
            rows = ",\n    ".join(f"{flat(a)}: {flat(b)}" for a, b in v.items())
            lines.append(f"  {flat(k)}: {{\n    {rows}\n  }}")
        else:
            lines.append(f"  {flat(k)}: {flat(v)}")
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


sys.modules["gguf"] = types.ModuleType("gguf")
c, t = load("constants"), load("tensor_mapping")
arch_name = c.MODEL_ARCH_NAMES
M = t.TensorNameMap
write("convert/tensor-names.json", {
    "source": f"{VERSION}, gguf-py/gguf/constants.py and tensor_mapping.py, written by tools/convert_tables.py",
    "names": {k.name: [v] for k, v in c.TENSOR_NAMES.items()},
    "model": {k.name: list(v) for k, v in M.mappings_cfg.items()},
    "block": {k.name: list(v) for k, v in M.block_mappings_cfg.items()},
    "overlay": {arch_name[a]: {k.name: list(v) for k, v in m.items()} for a, m in M.arch_block_mappings_cfg.items()},
    "architectures": {arch_name[a]: [k.name for k in v] for a, v in c.MODEL_TENSORS.items() if a in arch_name},
})

base = (root / "conversion/base.py").read_text(encoding="utf-8")
body = base[base.index("Marker: Start get_vocab_base_pre"):base.index("Marker: End get_vocab_base_pre")]
text = re.search(r"chktxt = ('.*')\n", body).group(1)
import ast
hashes = {}
for h, ref, name in re.findall(r'chkhsh == "([0-9a-f]{64})":\n\s+# ref: (\S+)\n\s+res = "([^"]+)"', body):
    hashes[h] = [name, ref]          # a hash that stands twice: the later entry counts
assert len(re.findall(r'chkhsh == "', body)) >= len(hashes) > 80

cpp = (root / "src/llama-vocab.cpp").read_text(encoding="utf-8")
switch = cpp[cpp.index("struct llm_tokenizer_bpe : llm_tokenizer"):]
switch = switch[:switch.index("std::vector<std::string> regex_exprs;")]
regexes = {}
for cases, block in re.findall(r"((?:\s+case LLAMA_VOCAB_PRE_TYPE_\w+:)+)(.*?)break;", switch, re.S):
    block = re.sub(r"^\s*//.*$", "", block, flags=re.M)
    strings = [json.loads(x, strict=False) for x in re.findall(r'"(?:[^"\\]|\\.)*"', block[block.index("{"):block.index("};")])]
    for case in re.findall(r"PRE_TYPE_(\w+)", cases):
        regexes[case] = (strings, "byte_encode = false" not in block)
chain = cpp[cpp.index("for now, only BPE models have pre-tokenizers"):]
chain = chain[:chain.index("unknown pre-tokenizer type")]
splits = {}
for cond, block in re.findall(r"else if \(((?:[^()]|\n)*?)\) \{(.*?)\}", chain, re.S):
    kind = re.search(r"PRE_TYPE_(\w+);", block).group(1)
    if kind in regexes and not any("AFMoE" in x or "Han" in x for x in regexes[kind][0]):
        for name in re.findall(r'tokenizer_pre == "([^"]+)"', cond):
            splits[name] = {"regexes": regexes[kind][0], "bytes": regexes[kind][1], "ignore_merges": "ignore_merges = true" in block}
write("convert/pre-tokenizers.json", {
    "splits_source": f"{VERSION}, src/llama-vocab.cpp: how the runtime splits a text for each name",
    "splits": splits,
    "source": f"{VERSION}, conversion/base.py get_vocab_base_pre, written by tools/convert_tables.py",
    "text": ast.literal_eval(text),
    "hashes": hashes,
})

d = json.loads(defaults.read_text(encoding="utf-8"))
known = json.loads((out / "hf/config-defaults.json").read_text(encoding="utf-8"))["model_types"]  # the input lacks the text parts of VL models
write("hf/config-defaults.json", {
    "source": f"transformers {d['transformers']}: {d['what']}",
    "model_types": known | {m: v["keys"] for m, v in d["model_types"].items()},
})
