"""A tiny model that speaks Harmony with `oss_chain.CHAIN`'s probabilities: a GptOss, or a Llama for servers without its
kernels. Its weights are set by hand.

    mkoss.py OUT --vocabulary o200k_base.tiktoken --as gpt-oss|llama        torch and transformers

Layer 0 has one head that looks at the token before (through RoPE's six fastest pairs), layer 1 one that counts
`<|call|>`: n of them give n/(n+1), the model's own attention sink (in the Llama the one token `system`) taking the 1.
One unit of layer 1's MLP makes a step of that. lm_head is a table of log-probabilities.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib

import oss_chain as chain
import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, GptOssConfig, GptOssForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.convert_slow_tokenizer import TikTokenConverter

SPECIAL = {
    **{199998: "<|startoftext|>", 199999: "<|endoftext|>", 200002: "<|return|>", 200003: "<|constrain|>"},
    **{200005: "<|channel|>", 200006: "<|start|>", 200007: "<|end|>", 200008: "<|message|>", 200012: "<|call|>"},
    200018: "<|endofprompt|>",
}
SPLIT = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
ENDS, PADDING, START = [200002, 199999, 200012], 199999, 199998
H, HD, NH, KV, WORDS = 256, 64, 4, 2, 201088
PREVIOUS, COUNT, STEP = 200, 230, 231
"""Dimensions that the heads and the MLP write: one for each class of tokens before, the count, the step."""
CLASSES = {"analysis": 0, "final": 1, "json": 2}
WRITTEN = 0.25
GAIN = math.sqrt(H)
FASTEST = [150000 ** (-pair / 32) for pair in range(6)]


def write_tokenizer(folder: pathlib.Path, vocabulary: str, *, visible: bool) -> Tokenizer:
    """o200k_harmony from the ranks file. `visible`: Harmony's tokens survive detokenizing."""
    names = [SPECIAL.get(at, f"<|reserved_{at}|>") for at in range(START, WORDS)]
    converter = TikTokenConverter(vocab_file=vocabulary, pattern=SPLIT, extra_special_tokens=names)
    path = folder / "tokenizer.json"
    converter.converted().save(str(path))
    if visible:
        tokenizer = json.loads(path.read_text())
        for token in tokenizer["added_tokens"]:
            token["special"] = token["special"] and token["content"] not in chain.CHAIN | {
                "<|return|>": 0,
                "<|call|>": 0,
            }
        path.write_text(json.dumps(tokenizer, ensure_ascii=False))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|startoftext|>",
        "eos_token": "<|return|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 131072,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    template = pathlib.Path(__file__).with_name("oss_style.jinja").read_text()
    (folder / "chat_template.jinja").write_text(template)
    return Tokenizer.from_file(str(path))


class Wiring:
    """What both kinds of model share. `dims`: token → its dimension in the one-hot embedding; others have 0."""

    def __init__(self, tokenizer: Tokenizer, more: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self.live = [*chain.CHAIN, "<|call|>", *more]
        self.dims = {token: at for at, token in enumerate(self.live, start=1)}
        assert len(self.live) < 120

    def id(self, token: str) -> int:
        (found,) = self._tokenizer.encode(token, add_special_tokens=False).ids
        return found

    def embeddings(self) -> torch.Tensor:
        rows = torch.zeros(WORDS, H)
        rows[:, 0] = 1
        for token, dim in self.dims.items():
            rows[self.id(token)] = 0
            rows[self.id(token), dim] = 1
        return rows

    def look_back(self, attention: torch.nn.Module, sharpness: float) -> None:
        """A head that attends to the token before, whatever it is, and writes its class."""
        for pair, angle in enumerate(FASTEST):
            attention.k_proj.bias[pair] = 1.0
            attention.q_proj.bias[pair] = sharpness * math.cos(angle)
            attention.q_proj.bias[pair + HD // 2] = -sharpness * math.sin(angle)
        for token, at in CLASSES.items():
            attention.v_proj.weight[at, self.dims[token]] = 1 / GAIN
            attention.o_proj.weight[PREVIOUS + at, at] = WRITTEN

    def count_calls(self, attention: torch.nn.Module, score: float, sinks: tuple[str, ...]) -> None:
        """A head that attends to each `<|call|>` and a sink alike; RoPE's slowest pair carries the score."""
        slowest = HD // 2 - 1
        attention.q_proj.bias[slowest] = 16.0
        for token in ("<|call|>", *sinks):
            attention.k_proj.weight[slowest, self.dims[token]] = score / GAIN
        attention.v_proj.weight[0, self.dims["<|call|>"]] = 1 / GAIN
        attention.o_proj.weight[COUNT, 0] = WRITTEN

    def head(self) -> torch.Tensor:
        """lm_head: rows are next tokens, columns what is known of the present."""
        rows = torch.full((WORDS, H), -80.0)
        rows[:, 120:] = 0
        for now, following in chain.CHAIN.items():
            for token, probability in following.items():
                rows[self.id(token), self.dims[now]] = math.log(probability) if probability else -80.0
        comment, final = self.id("comment"), self.id("final")
        for dim in (0, *self.dims.values()):
            rows[final, dim] = rows[comment, dim] = -400.0
        rows[comment, self.dims["<|channel|>"]] = math.log(1 - chain.ANALYSIS)
        rows[final, self.dims["<|channel|>"]] = math.log(1 - chain.ANALYSIS) - 60
        rows[final, STEP], rows[comment, STEP] = (
            750.0,
            -600.0,
        )  # the step is 0.1: final wins by 15 nats, rounding or not
        for before, beginnings in chain.AFTER_MESSAGE.items():
            for token, probability in beginnings.items():
                rows[self.id(token), self.dims["<|message|>"]] = -60 + math.log(probability)
                rows[self.id(token), PREVIOUS + CLASSES[before]] = 60 / WRITTEN
        return rows / GAIN


def after_norm(count: float) -> float:
    """What the last norm makes of the count."""
    return WRITTEN * count * GAIN / math.sqrt(1 + (WRITTEN * count) ** 2)


def gpt_oss(tokenizer: Tokenizer) -> torch.nn.Module:
    config = GptOssConfig(
        vocab_size=WORDS,
        hidden_size=H,
        intermediate_size=128,
        head_dim=HD,
        num_attention_heads=NH,
        num_key_value_heads=KV,
        num_hidden_layers=2,
        num_local_experts=4,
        num_experts_per_tok=2,
        sliding_window=128,
        max_position_embeddings=131072,
        eos_token_id=ENDS,
        pad_token_id=PADDING,
    )
    config.dtype, config.architectures = torch.bfloat16, ["GptOssForCausalLM"]
    model, wiring = GptOssForCausalLM(config), Wiring(tokenizer, ())
    silent = ("o_proj", "down_proj", "q_proj", "k_proj", "v_proj")
    for name, values in model.named_parameters():
        if "sinks" in name:
            values.fill_(-100.0)
        elif "norm" not in name and (name.endswith(".bias") or any(part in name for part in silent)):
            values.zero_()
    model.model.embed_tokens.weight.copy_(wiring.embeddings())
    wiring.look_back(model.model.layers[0].self_attn, sharpness=100.0)
    second = model.model.layers[1]
    stretched = 0.1 * math.log(32) + 1  # YaRN's scaling of scores
    wiring.count_calls(second.self_attn, math.sqrt(HD) / stretched**2, ())
    second.self_attn.sinks[0] = 16.0
    # One SwiGLU unit, the same in all experts; its clamp at 7 saturates it, so that it is a step.
    experts, slope = second.mlp.experts, 100.0
    experts.gate_up_proj.zero_()
    experts.gate_up_proj[:, COUNT, 0] = slope
    experts.gate_up_proj_bias[:, 0] = -slope * (after_norm(2 / 3) + after_norm(3 / 4)) / 2
    experts.down_proj[:, 0, STEP] = 0.1 / 7
    model.lm_head.weight.copy_(wiring.head())
    return model.to(torch.bfloat16)


def llama(tokenizer: Tokenizer) -> torch.nn.Module:
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=H,
        intermediate_size=128,
        head_dim=HD,
        num_attention_heads=NH,
        num_key_value_heads=KV,
        num_hidden_layers=2,
        attention_bias=True,
        mlp_bias=False,
        max_position_embeddings=131072,
        rope_parameters={"rope_type": "default", "rope_theta": 150000.0},
        rms_norm_eps=1e-5,
        eos_token_id=ENDS,
        bos_token_id=START,
        pad_token_id=PADDING,
        tie_word_embeddings=False,
    )
    config.dtype, config.architectures = torch.float32, ["LlamaForCausalLM"]
    model, wiring = LlamaForCausalLM(config), Wiring(tokenizer, ("system",))
    for name, values in model.named_parameters():
        if "norm" not in name and ("self_attn" in name or "down_proj" in name):
            values.zero_()
    model.model.embed_tokens.weight.copy_(wiring.embeddings())
    wiring.look_back(model.model.layers[0].self_attn, sharpness=200.0)
    second = model.model.layers[1]
    wiring.count_calls(second.self_attn, math.sqrt(HD), ("system",))
    _step_of_two_units(second.mlp, wiring.dims["<|channel|>"])
    model.lm_head.weight.copy_(wiring.head())
    return model


def _step_of_two_units(mlp: torch.nn.Module, channel: int) -> None:
    """relu(K (c - a)) - relu(K (c - b)). Llama's MLP has no bias: the constant comes from the one-hot of `<|channel|>`,
    the only state that uses the step."""
    slope, one = 400.0, GAIN / math.sqrt(1 + (WRITTEN * 0.7) ** 2)
    low, high = after_norm(2 / 3), after_norm(3 / 4)
    begins, ends = low + (high - low) * 0.35, low + (high - low) * 0.65
    mlp.gate_proj.weight.zero_()
    mlp.up_proj.weight.zero_()
    for unit, point in ((0, begins), (1, ends)):
        mlp.gate_proj.weight[unit, COUNT] = slope
        mlp.gate_proj.weight[unit, channel] = -slope * point / one
        mlp.up_proj.weight[unit, channel] = 1 / one
    height = slope * (ends - begins)
    mlp.down_proj.weight[STEP, 0], mlp.down_proj.weight[STEP, 1] = 0.1 / height, -0.1 / height


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("out", type=pathlib.Path)
    options.add_argument("--vocabulary", required=True)
    options.add_argument("--as", dest="kind", choices=["gpt-oss", "llama"], required=True)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    tokenizer = write_tokenizer(given.out, given.vocabulary, visible=given.kind == "llama")
    with torch.no_grad():
        model = gpt_oss(tokenizer) if given.kind == "gpt-oss" else llama(tokenizer)
    model.save_pretrained(given.out)
    generation = GenerationConfig(eos_token_id=ENDS, pad_token_id=PADDING, bos_token_id=START, do_sample=True)
    generation.save_pretrained(given.out)


if __name__ == "__main__":
    main()
