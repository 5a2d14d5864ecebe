#!/usr/bin/env python3
"""Writes what llama.cpp's loader asks of a model: keys, tensors, shapes, per architecture that convert knows.

    tools/load_rules.py LLAMA_CPP_SOURCE

Reads load_arch_hparams and load_arch_tensors of src/models/*.cpp statement by statement, and keeps of them what decides whether a file loads:
assignments, conditions, loops over the layers, keys, tensors. Expressions stay text, which LoadRules.java evaluates; what it cannot know
(a function of its own, a value that no key has) makes that part of a rule say nothing. Statements that are neither are left out.

One line per architecture of load-rules.txt: its name, then a JSON list of statements:
    ["=", name, expression]                      ["?", condition, then, otherwise]
    ["for", variable, from, below, body]         ["key", variable, name, whether it must be there]
    ["t", variable, name, block, shape, flags]   ["assert", condition]
    ["call", function, arguments]
A line has two lists, of load_arch_hparams and of load_arch_tensors; that of a function its parameters and its statements.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESOURCES = ROOT / "src/main/resources/ai/luciferai/llama/convert"
ROPE = {"UNSPECIFIED": -1, "NONE": 0, "LINEAR": 1, "YARN": 2, "LONGROPE": 3}
FLAGS = {"TENSOR_NOT_REQUIRED": 1, "TENSOR_DUPLICATED": 2, "TENSOR_SKIP": 4, "TENSOR_SKIP_IF_VIRTUAL": 8, "TENSOR_ALLOW_RESHAPE": 16,
         "TENSOR_READ_LAZY": 32}
LOAD_MTP = 0  # the default of llama_model_params


def uncommented(text):
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.S)


def closing(text, at):
    """Position of the bracket that closes the one at this position."""
    pairs, depth, quoted = {"(": ")", "{": "}", "[": "]"}, 0, False
    for i in range(at, len(text)):
        c = text[i]
        if c == '"':
            quoted = not quoted
        elif not quoted and c in pairs:
            depth += 1
        elif not quoted and c in pairs.values():
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("unbalanced: " + text[at:at + 80])


def arguments(text):
    out, depth, last = [], 0, 0
    for i, c in enumerate(text):
        depth += c in "({[" and 1 or c in ")}]" and -1 or 0
        if c == "," and depth == 0:
            out.append(text[last:i].strip())
            last = i + 1
    rest = text[last:].strip()
    return out + [rest] if rest else out


class Reader:
    def __init__(self, arch, tensors, keys, enum):
        self.arch, self.tensors, self.keys, self.enum = arch, tensors, keys, enum
        self.functions, self.shared = {}, ()

    def expression(self, text):
        text = re.sub(r"static_cast<[^>]*>", "", text)
        text = re.sub(r"\((u?int(32|64)_t|int|bool)\)", "", text)
        text = re.sub(r"\barch\s*([!=]=)\s*(LLM_ARCH_\w+)", lambda m: str(int((m[2] == self.enum) == (m[1] == "=="))), text)
        text = re.sub(r"LLAMA_ROPE_SCALING_TYPE_(\w+)", lambda m: str(ROPE[m[1]]), text)
        for name, bit in FLAGS.items():
            text = re.sub(r"(llama_model_loader::)?\b" + name + r"\b", str(bit), text)
        text = re.sub(r"\b(NULL|nullptr|false)\b", "0", text)
        text = re.sub(r"\btrue\b", "1", text)
        text = re.sub(r"\bml\.load_mtp\b", str(LOAD_MTP), text)
        text = re.sub(r"ml\.get_weight\((\"[^\"]*\")\)", r"\1", text)
        text = re.sub(r"ml\.get_weight\(mtp_probe\.c_str\(\)\)", '"blk.{n_layer}.nextn.eh_proj.weight"', text)
        return re.sub(r"\s+", " ", text).strip()

    def block(self, text):
        out, at = [], 0
        while True:
            at += len(text[at:]) - len(text[at:].lstrip())
            if at >= len(text):
                return out
            at = self.statement(text, at, out)

    def body(self, text, at):
        """The statements of a branch and the position behind it."""
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at] == "{":
            end = closing(text, at)
            return self.block(text[at + 1:end]), end + 1
        out = []
        at = self.statement(text, at, out)
        return out, at

    def statement(self, text, at, out):
        word = re.match(r"(if|for|switch|while)\b\s*(constexpr\s*)?\(", text[at:])
        if word:
            start = at + word.end() - 1
            end = closing(text, start)
            head = text[start + 1:end]
            if word[1] == "if":
                return self.condition(text, head, end + 1, out)
            body, after = self.body(text, end + 1) if word[1] == "for" else ([], closing(text, text.index("{", end)) + 1)
            loop = re.match(r"\s*(?:int|uint32_t|int32_t)\s+(\w+)\s*=\s*(.*?);\s*\w+\s*<\s*(.*?);", head, re.S)
            if word[1] == "for" and loop:
                if body:
                    out.append(["for", loop[1], self.expression(loop[2]), self.expression(loop[3]), body])
            elif any(s[0] == "t" for s in body):
                raise ValueError("loop " + head)
            return after
        if text[at] == "{":
            end = closing(text, at)
            out += self.block(text[at + 1:end])
            return end + 1
        end = at
        while text[end] != ";":
            end = closing(text, end) + 1 if text[end] in "({[" else end + 1
        self.simple(text[at:end].strip(), out)
        return end + 1

    def condition(self, text, head, at, out):
        declared = re.match(r"\s*(?:const\s+)?auto\s+(\w+)\s*=\s*([^;]*);(.*)", head, re.S)
        if declared:
            self.simple(declared[1] + " = " + declared[2], out)
            head = declared[3]
        head = re.sub(r"ml\.(get_key|get_key_or_arr|get_arr)\(([^()]*(\([^()]*\))?[^()]*)\)", lambda m: self.key(m[2], out), head)
        start = at
        then, at = self.body(text, at)
        if re.search(r"\breturn;\s*\}?$", text[start:at]):  # all that follows is the other branch
            out.append(["?", self.expression(head), then, self.block(text[at:])])
            return len(text)
        otherwise = []
        more = re.match(r"\s*else\b", text[at:])
        if more:
            otherwise, at = self.body(text, at + more.end())
        if then or otherwise:
            out.append(["?", self.expression(head), then, otherwise])
        return at

    def key(self, inside, out):
        """Adds the reading of a key; the text says whether it is there."""
        args = arguments(inside)
        required = [a for a in args[1:] if a in ("true", "false")]
        name = self.keys.get(args[0])
        if name is None:
            return "unknown"
        target = args[1]
        out.append(["key", target, name, 0 if required == ["false"] else 1])
        return 'key("' + name + '")'

    def simple(self, text, out):
        text = re.sub(r"\s+", " ", text)
        made = re.match(r"(?:([\w.>-]+) = )?create_tensor\((.*)\)$", text)
        if made:
            tn, dims, flags = arguments(made[2])
            name = arguments(re.match(r"tn\((.*)\)$", tn)[1])
            suffix = [n.strip('"') for n in name[1:] if n.startswith('"')]
            block = [n for n in name[1:] if not n.startswith('"')]
            pattern = ".".join([self.tensors[name[0]].replace("%d", "{}", 1)] + suffix)
            out.append(["t", made[1] or "", pattern, block[0] if block else "", [self.expression(d) for d in arguments(dims.strip()[1:-1])],
                        self.expression(flags)])
            return
        helper = re.match(r"(\w+)\((.*)\)$", text)
        if helper and helper[1] in self.shared:
            out.append(["call", helper[1], [self.expression(a) for a in arguments(helper[2])]])
            return
        if helper and helper[1] in self.functions:
            parameters, body = self.functions[helper[1]]
            values = arguments(helper[2])
            tag = "_" + helper[1]
            out += [["=", p + tag, self.expression(v)] for p, v in zip(parameters, values)]
            renamed = re.sub(r"(?<![\w.])(" + "|".join(parameters) + r")\b(?!\s*\()", lambda m: m[1] + tag, body)
            out += self.block(renamed)
            return
        function = re.match(r"auto (\w+) = \[&\]\((.*?)\)(?: ->.*?)? \{(.*)\}$", text)
        if function:
            self.functions[function[1]] = ([p.split()[-1] for p in arguments(function[2])], function[3])
            return
        read = re.match(r"(?:(?:const )?(?:bool|auto) (\w+) = )?ml\.(?:get_key|get_key_or_arr|get_arr)\((.*?)\)(?: \|\|.*)?$", text)
        if read:
            found = self.key(read[2], out)
            if read[1]:
                out.append(["=", read[1], found])
            return
        asserted = re.match(r"GGML_ASSERT\((.*)\)$", text)
        if asserted:
            out.append(["assert", self.expression(re.sub(r'&& "[^"]*"$', "", asserted[1]))])
            return
        if text == "return":
            return
        if text.startswith("throw "):
            out.append(["assert", "0"])
            return
        more = re.match(r"(\w+) \|= (.*)$", text)
        if more:
            out.append(["=", more[1], more[1] + " | " + self.expression(more[2])])
            return
        assigned = re.match(r"(?:const )?(?:(?:int|int64_t|uint32_t|bool|auto|float) )?([\w.]+) = ([^{}]*)$", text)
        if assigned and not text.startswith("auto &") and not assigned[1] == "type":
            out.append(["=", assigned[1], self.expression(assigned[2])])


def used(parts):
    """Leaves out assignments that no expression reads: they are of the computation, not of the loader."""
    text = json.dumps(parts)
    def kept(list_):
        out = []
        for s in list_:
            if s[0] == "=" and len(re.findall(r"(?<![\w.])" + re.escape(s[1]) + r"\b", text)) < 2 and not s[1].endswith("_arr"):
                continue
            if s[0] == "?":
                s = ["?", s[1], kept(s[2]), kept(s[3])]
                if not s[2] and not s[3]:
                    continue
            if s[0] == "for":
                s = s[:4] + [kept(s[4])]
                if not s[4]:
                    continue
            out.append(s)
        return out
    return [kept(part) for part in parts]


def main():
    source = pathlib.Path(sys.argv[1]) / "src"
    arch_cpp = (source / "llama-arch.cpp").read_text()
    table = lambda name: arch_cpp[arch_cpp.index(name):arch_cpp.index("};", arch_cpp.index(name))]
    rows = lambda name: dict(re.findall(r"\{\s*(\w+)\s*,\s*\"([^\"]*)\"", table(name)))
    arches, tensors = rows("LLM_ARCH_NAMES = {"), rows("LLM_TENSOR_NAMES = {")
    keys = {k: v.replace("%s.", ".") for k, v in rows("LLM_KV_NAMES = {").items()}
    model_cpp = (source / "llama-model.cpp").read_text()
    classes = dict(re.findall(r"case (LLM_ARCH_\w+):\s*return new (\w+)\(", model_cpp))
    parents = dict(re.findall(r"struct (llama_model_\w+) : public (llama_model_\w+)", (source / "models/models.h").read_text()))
    code = {}
    for file in sorted((source / "models").glob("*.cpp")):
        for name, function, rest in re.findall(r"^void (\w+)::(load_arch_\w+)\([^)]*\) \{\n(.*?)^\}", file.read_text(), re.S | re.M):
            code[name, function] = uncommented(rest)
    helpers, functions = {}, []
    for name in ("create_tensor_gate_up_exps", "create_tensor_qkv"):
        found = re.search(r"void llama_model_base::" + name + r"\((.*?)\) \{\n(.*?)\n\}", model_cpp, re.S)
        helpers[name] = [p.split()[-1] for p in arguments(found[1])]
        functions.append(name + " " + json.dumps([helpers[name], Reader("", tensors, keys, "").block(uncommented(found[2]))], separators=(",", ":")))
    defaults = dict(re.findall(r"^\s+(?:u?int32_t|bool)\s+(\w+)\s*=\s*(-?\d+|true|false);", (source / "llama-hparams.h").read_text(), re.M))
    wanted = sorted({row["gguf"] for row in json.loads((RESOURCES / "architectures.json").read_text())["architectures"]})
    lines = ["# What the loader of llama.cpp v0.5.0 (MIT) asks of the models of an architecture. Written by tools/load_rules.py; do not edit.",
             "defaults " + json.dumps([["=", "hparams." + k, {"true": "1", "false": "0"}.get(v, v)] for k, v in defaults.items()])] + functions
    for arch in wanted:
        enum = next(k for k, v in arches.items() if v == arch)
        parts = []
        for function in ("load_arch_hparams", "load_arch_tensors"):
            name = classes[enum]
            while (name, function) not in code:
                name = parents[name]
            reader = Reader(arch, tensors, keys, enum)
            reader.shared = tuple(helpers)
            parts.append(reader.block(code[name, function]))
        lines.append(arch + " " + json.dumps(used(parts), separators=(",", ":")))
    (RESOURCES / "load-rules.txt").write_text("\n".join(lines) + "\n")
    print(len(wanted), "architectures")


if __name__ == "__main__":
    main()
