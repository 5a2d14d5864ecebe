"""PyTorch PEFT on the card, in BF16 with gradient checkpointing: the other side of the check of training.

    peft_gpu.py SHAPE ROWS STEPS        SHAPE: large (TinyLlama 1.1B) or llama-8b, random weights; prints one JSON object
"""
import json
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SHAPES = {"large": (2048, 22, 32, 4, 5632, 32000), "llama-8b": (4096, 32, 32, 8, 14336, 128256)}
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

shape, rows, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
width, layers, heads, kv_heads, feed_forward, vocabulary = SHAPES[shape]
torch.manual_seed(1)
torch.set_default_dtype(torch.bfloat16)
with torch.device("cuda"):
    model = LlamaForCausalLM(LlamaConfig(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
                                         intermediate_size=feed_forward, vocab_size=vocabulary, attn_implementation="sdpa"))
torch.set_default_dtype(torch.float32)
model.config.use_cache = False
model.gradient_checkpointing_enable()
model.enable_input_require_grads()
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=LINEAR)).train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
ids = torch.randint(300, 30000, (1, rows), device="cuda")


def step():
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


losses = [step(), step()]
begin = time.time()
losses += [step() for _ in range(steps)]
seconds = time.time() - begin
print(json.dumps({"tokens_per_s": steps*rows/seconds, "step_s": seconds/steps, "peak_mib": torch.cuda.max_memory_reserved() >> 20,
                  "losses": [round(x, 4) for x in losses]}))
