"""The other side of finetune.sh: PyTorch PEFT on one thread. Needs torch, transformers, peft, gguf.

    peft_train.py make DIR              a random Llama of 100M parameters as checkpoint DIR/hf and as DIR/mid-f32.gguf
    peft_train.py dense HF T B CKPT     steps on B sequences of T tokens; CKPT 1: gradient checkpointing
    peft_train.py task HF DATA B FORM   one epoch of {"text"} lines in batches of B; padded: each to its longest, as TRL does by default;
                                        packed: end to end, and none sees another

Prints tokens per second of processor time and peak resident memory.
"""
import json
import resource
import sys
import time

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
GGUF = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm"}


def make(folder):
    import gguf
    torch.manual_seed(1)
    c = LlamaConfig(hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12, num_key_value_heads=4,
                    vocab_size=16384, max_position_embeddings=2048, rms_norm_eps=1e-5)
    model = LlamaForCausalLM(c).float()
    model.save_pretrained(f"{folder}/hf")
    w = gguf.GGUFWriter(f"{folder}/mid-f32.gguf", "llama")
    w.add_vocab_size(c.vocab_size); w.add_context_length(2048); w.add_embedding_length(768); w.add_block_count(12)
    w.add_feed_forward_length(2048); w.add_head_count(12); w.add_head_count_kv(4); w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(10000.0); w.add_rope_dimension_count(64); w.add_tokenizer_model("no_vocab"); w.add_file_type(0)
    for name, x in model.state_dict().items():  # q and k rows stay in transformers' order: speed does not depend on it
        parts = name.split(".")
        target = {"embed_tokens": "token_embd.weight", "norm": "output_norm.weight"}.get(parts[1], "output.weight")
        if parts[1] == "layers":
            target = f"blk.{parts[2]}.{GGUF['.'.join(parts[3:-1])]}.weight"
        w.add_tensor(target, x.numpy())
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


def adapted(hf, rank, checkpointing=False):
    model = AutoModelForCausalLM.from_pretrained(hf, dtype=torch.float32, attn_implementation="sdpa")
    model.config.use_cache = False
    if checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    model = get_peft_model(model, LoraConfig(r=rank, lora_alpha=2*rank, target_modules=LINEAR)).train()
    return model, torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)


def step(model, optimizer, **batch):
    model(**batch).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


def report(tokens, seconds):
    print(f"{tokens/seconds:.1f} tokens per CPU second, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss//1024} MiB")


def dense(hf, length, sequences, checkpointing, steps=4):
    model, optimizer = adapted(hf, 8, checkpointing)
    ids = torch.tensor(np.random.default_rng(1).integers(0, 16000, (sequences, length)))
    step(model, optimizer, input_ids=ids, labels=ids)
    start = time.process_time()
    for _ in range(steps):
        step(model, optimizer, input_ids=ids, labels=ids)
    report(steps*sequences*length, time.process_time() - start)


def padded(batch, filler):
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), filler)
    mask = torch.zeros_like(ids)
    for i, tokens in enumerate(batch):
        ids[i, :len(tokens)] = torch.tensor(tokens)
        mask[i, :len(tokens)] = 1
    return dict(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100))


def packed(batch):
    ids = torch.tensor([token for tokens in batch for token in tokens])
    owner = torch.tensor([i for i, tokens in enumerate(batch) for _ in tokens])
    starts = torch.cat((torch.tensor([True]), owner[1:] != owner[:-1]))
    seen = (owner[:, None] == owner[None, :]).tril()
    mask = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))
    return dict(input_ids=ids[None], attention_mask=mask[None, None], labels=ids.masked_fill(starts, -100)[None],
                position_ids=torch.cat([torch.arange(len(tokens)) for tokens in batch])[None])


def task(hf, data, size, form):
    tokenizer = AutoTokenizer.from_pretrained(hf)
    samples = [tokenizer(json.loads(line)["text"]).input_ids + [tokenizer.eos_token_id] for line in open(data)]
    model, optimizer = adapted(hf, 16)
    start = time.process_time()
    for first in range(0, len(samples), size):
        batch = samples[first:first + size]
        step(model, optimizer, **(padded(batch, tokenizer.eos_token_id) if form == "padded" else packed(batch)))
    report(sum(map(len, samples)), time.process_time() - start)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    verb, *rest = sys.argv[1:]
    if verb == "make":
        make(rest[0])
    elif verb == "dense":
        dense(rest[0], int(rest[1]), int(rest[2]), rest[3] == "1")
    else:
        task(rest[0], rest[1], int(rest[2]), rest[3])
