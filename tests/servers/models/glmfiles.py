"""A one-layer GLM-4.x-MoE transformer as files: a GGUF for llama.cpp, a Hugging Face folder for vLLM and SGLang.

The weights come from outside; here is what all our wired models share: their shape, a tokenizer whose words are literal
tokens, and the two formats. Needs numpy; the GGUF needs `gguf`, too. No torch, no download.
"""

from __future__ import annotations

import collections
import json
import math
import pathlib
import re
import struct
from itertools import pairwise

import numpy as np

H, HD, NH, FF = 256, 64, 8, 64
"""Hidden size, head size (its first half is rotated), heads (= key-value heads), width of the MLPs (all zero)."""
ROPE_BASE, EPS = 10000.0, 1e-6
GAIN = 1 / math.sqrt(1 / H + EPS)
"""What the RMS norm multiplies a one-hot row with."""

CTRL = ["<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]
MARK = [
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),
    *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
]
GLM4_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def one_hot_rows(tokens: list[str], dims: dict[str, int]) -> np.ndarray:
    """Embeddings: each token of `dims` has a dimension of its own, all others share dimension 0."""
    ids = {token: at for at, token in enumerate(tokens)}
    rows = zeros(len(tokens), H)
    rows[:, 0] = 1
    for token, dim in dims.items():
        rows[ids[token]] = 0
        rows[ids[token], dim] = 1
    return rows


# --- the tokenizer: bytes, some merges learnt from a text, literal tokens ----------------------------------------


def byte_chars() -> list[str]:
    """GPT-2's byte-to-character table."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(others)}
    return [table[byte] for byte in range(256)]


def learn_merges(text: str, count: int) -> list[tuple[str, str]]:
    """Plain byte-pair merges on pre-split words (ties: first in order of text)."""
    chars = byte_chars()
    pieces = re.findall(r" ?[A-Za-z]+|[0-9]{1,3}| ?[^\sA-Za-z0-9]+\n?|\s+", text)
    words = collections.Counter(tuple(chars[byte] for byte in piece.encode()) for piece in pieces)
    merges: list[tuple[str, str]] = []
    for _ in range(count):
        pairs: collections.Counter = collections.Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        if not pairs:
            break
        best = max(pairs, key=lambda pair: pairs[pair])
        merges.append(best)
        merged: collections.Counter = collections.Counter()
        for word, times in words.items():
            merged[_merged(word, best)] += times
        words = merged
    return merges


def _merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    out, at = [], 0
    while at < len(word):
        if word[at : at + 2] == pair:
            out.append(word[at] + word[at + 1])
            at += 2
        else:
            out.append(word[at])
            at += 1
    return tuple(out)


class Vocabulary:
    """`tokens` in order of their ids: bytes and merges (`n_base` of them), GLM's own, the model's `own`, padding."""

    def __init__(self, text: str, own: list[str]) -> None:
        self.merges = learn_merges(text, 260)
        base = list(dict.fromkeys(byte_chars() + ["".join(pair) for pair in self.merges]))
        assert len(base) == 256 + len(self.merges)
        self.n_base = len(base)
        self.own = own
        self.tokens = [*base, *CTRL, *MARK, *own]
        while len(self.tokens) % 64:
            self.tokens.append(f"<pad{len(self.tokens)}>")
        assert len(set(self.tokens)) == len(self.tokens)
        self.ids = {token: at for at, token in enumerate(self.tokens)}

    @property
    def ends(self) -> list[int]:
        return [self.ids[token] for token in ("<|endoftext|>", "<|user|>", "<|observation|>")]


# --- the two formats ---------------------------------------------------------------------------------------------


def write_gguf(path: str, name: str, vocabulary: Vocabulary, weights: tuple, template: str) -> None:
    """One dense layer. `weights`: embeddings, (query, its bias, key, value, output) of the attention, lm_head."""
    import gguf

    embeddings, (wq, bq, wk, wv, wo), head = weights
    ids, own = vocabulary.ids, vocabulary.own
    types = [1] * vocabulary.n_base + [3] * len(CTRL) + [4] * (len(MARK) + len(own))  # normal, control, user-defined
    types += [5] * (len(vocabulary.tokens) - len(types))  # unused
    g = gguf.GGUFWriter(path, "glm4moe")
    g.add_name(name)
    g.add_block_count(1)
    g.add_context_length(131072)
    g.add_embedding_length(H)
    g.add_feed_forward_length(FF)
    g.add_head_count(NH)
    g.add_head_count_kv(NH)
    g.add_rope_freq_base(ROPE_BASE)
    g.add_layer_norm_rms_eps(EPS)
    g.add_key_length(HD)
    g.add_value_length(HD)
    g.add_rope_dimension_count(HD // 2)
    g.add_file_type(0)
    g.add_expert_count(4)
    g.add_expert_used_count(2)
    g.add_expert_group_count(1)
    g.add_expert_group_used_count(1)
    g.add_expert_feed_forward_length(64)
    g.add_expert_shared_count(1)
    g.add_leading_dense_block_count(1)
    g.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    g.add_expert_weights_scale(1.0)
    g.add_expert_weights_norm(True)
    g.add_nextn_predict_layers(0)
    g.add_tokenizer_model("gpt2")
    g.add_tokenizer_pre("glm4")
    g.add_token_list(vocabulary.tokens)
    g.add_token_types(types)
    g.add_token_merges([" ".join(pair) for pair in vocabulary.merges])
    g.add_bos_token_id(ids["[gMASK]"])
    g.add_eos_token_id(ids["<|endoftext|>"])
    g.add_eot_token_id(ids["<|user|>"])
    g.add_eom_token_id(ids["<|observation|>"])
    g.add_pad_token_id(ids["<|endoftext|>"])
    g.add_unk_token_id(ids["<|endoftext|>"])
    g.add_add_bos_token(False)
    g.add_chat_template(template)
    one, wide = np.ones(H, np.float32), NH * HD
    tensors = {
        "token_embd.weight": embeddings,
        "output.weight": head,
        "output_norm.weight": one,
        "blk.0.attn_norm.weight": one,
        "blk.0.post_attention_norm.weight": one,
        "blk.0.attn_q.weight": wq,
        "blk.0.attn_q.bias": bq,
        "blk.0.attn_k.weight": wk,
        "blk.0.attn_k.bias": zeros(wide),
        "blk.0.attn_v.weight": wv,
        "blk.0.attn_v.bias": zeros(wide),
        "blk.0.attn_output.weight": wo,
        "blk.0.ffn_gate.weight": zeros(FF, H),
        "blk.0.ffn_up.weight": zeros(FF, H),
        "blk.0.ffn_down.weight": zeros(H, FF),
    }
    for tensor, values in tensors.items():
        g.add_tensor(tensor, np.ascontiguousarray(values, dtype=np.float32))
    for finish in (g.write_header_to_file, g.write_kv_data_to_file, g.write_tensors_to_file, g.close):
        finish()


def write_hf(path: str, vocabulary: Vocabulary, weights: tuple, template: str) -> None:
    """Glm4MoeForCausalLM. Two layers (servers want one MoE layer): the second adds nothing."""
    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    _write_safetensors(folder / "model.safetensors", _hf_tensors(weights))
    ends = vocabulary.ends
    configs = {
        "config.json": _hf_config(len(vocabulary.tokens), ends),
        "generation_config.json": {
            "eos_token_id": ends,
            "pad_token_id": ends[0],
            "do_sample": True,
            "temperature": 1.0,
            "top_p": 1.0,
        },
        "tokenizer.json": _hf_tokenizer(vocabulary),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 131072,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|endoftext|>",
            "pad_token": "<|endoftext|>",
            "additional_special_tokens": CTRL[1:],
            "padding_side": "left",
        },
    }
    for name, value in configs.items():
        (folder / name).write_text(json.dumps(value, indent=1, ensure_ascii=False))
    (folder / "chat_template.jinja").write_text(template)


def _hf_tensors(weights: tuple) -> dict[str, np.ndarray]:
    embeddings, (wq, bq, wk, wv, wo), head = weights
    one, bias = np.ones(H, np.float32), zeros(NH * HD)
    tensors = {"model.embed_tokens.weight": embeddings, "lm_head.weight": head, "model.norm.weight": one}
    for layer, share in ((0, 1), (1, 0)):
        at = f"model.layers.{layer}."
        tensors |= {
            at + "input_layernorm.weight": one,
            at + "post_attention_layernorm.weight": one,
            at + "self_attn.q_proj.weight": wq * share,
            at + "self_attn.q_proj.bias": bq * share,
            at + "self_attn.k_proj.weight": wk * share,
            at + "self_attn.k_proj.bias": bias,
            at + "self_attn.v_proj.weight": wv * share,
            at + "self_attn.v_proj.bias": bias,
            at + "self_attn.o_proj.weight": wo * share,
        }
    router = "model.layers.1.mlp.gate."
    tensors |= _empty_mlp("model.layers.0.mlp.") | _empty_mlp("model.layers.1.mlp.shared_experts.")
    tensors |= {router + "weight": zeros(4, H), router + "e_score_correction_bias": zeros(4)}
    for expert in range(4):
        tensors |= _empty_mlp(f"model.layers.1.mlp.experts.{expert}.")
    return tensors


def _empty_mlp(at: str) -> dict[str, np.ndarray]:
    return {
        at + "gate_proj.weight": zeros(FF, H),
        at + "up_proj.weight": zeros(FF, H),
        at + "down_proj.weight": zeros(H, FF),
    }


def _write_safetensors(path: pathlib.Path, tensors: dict[str, np.ndarray]) -> None:
    header: dict = {"__metadata__": {"format": "pt"}}
    at, blobs = 0, []
    for name, values in tensors.items():
        blob = np.ascontiguousarray(values, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + len(blob)]}
        at += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def _hf_config(vocabulary_size: int, ends: list[int]) -> dict:
    rope = {"rope_type": "default", "rope_theta": ROPE_BASE, "partial_rotary_factor": 0.5}
    return {
        "architectures": ["Glm4MoeForCausalLM"],
        "model_type": "glm4_moe",
        "dtype": "float32",
        "vocab_size": vocabulary_size,
        "hidden_size": H,
        "intermediate_size": FF,
        "moe_intermediate_size": FF,
        "num_hidden_layers": 2,
        "num_attention_heads": NH,
        "num_key_value_heads": NH,
        "head_dim": HD,
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_shared_experts": 1,
        "first_k_dense_replace": 1,
        "n_group": 1,
        "topk_group": 1,
        "routed_scaling_factor": 1.0,
        "norm_topk_prob": True,
        "use_qk_norm": False,
        "attention_bias": True,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "max_position_embeddings": 131072,
        "num_nextn_predict_layers": 0,
        "rope_theta": ROPE_BASE,
        "rope_scaling": None,
        "rope_parameters": rope,
        "partial_rotary_factor": 0.5,
        "rms_norm_eps": EPS,
        "eos_token_id": ends,
        "pad_token_id": ends[0],
        "tie_word_embeddings": False,
        "use_cache": True,
    }


def _hf_tokenizer(vocabulary: Vocabulary) -> dict:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [
        {"id": at, "content": token, **plain, "special": token in CTRL}
        for at, token in enumerate(vocabulary.tokens)
        if at >= vocabulary.n_base
    ]
    split = {"type": "Split", "pattern": {"Regex": GLM4_SPLIT}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                split,
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: at for at, token in enumerate(vocabulary.tokens[: vocabulary.n_base])},
            "merges": [list(pair) for pair in vocabulary.merges],
        },
    }
