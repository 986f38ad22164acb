"""What engines call the parsers of a family, and how a prompt of it ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """The values of an engine's `--tool-call-parser` and `--reasoning-parser`."""

    tool_parser: str
    reasoning_parser: str | None


VLLM = {
    "glm45": Names("glm45", "glm45"),
    "glm47": Names("glm47", "glm45"),
    "harmony": Names("openai", "openai_gptoss"),
    "hermes": Names("hermes", "qwen3"),
    "qwen3_coder": Names("qwen3_coder", "qwen3"),
    "kimi_k2": Names("kimi_k2", "kimi_k2"),
    "deepseek_v31": Names("deepseek_v31", "deepseek_v3"),
    "deepseek_v32": Names("deepseek_v32", "deepseek_v3"),
    "minimax_m2": Names("minimax_m2", "minimax_m2"),
    "llama3_json": Names("llama3_json", None),
    "mistral": Names("mistral", "mistral"),
    "deepseek_v3": Names("deepseek_v3", "deepseek_v3"),
    "gemma4": Names("gemma4", "gemma4"),
}
SGLANG = {
    "glm45": Names("glm45", "glm45"),
    "glm47": Names("glm47", "glm45"),
    "harmony": Names("gpt-oss", "gpt-oss"),
    "hermes": Names("hermes", "qwen3"),
    "qwen3_coder": Names("qwen3_coder", "qwen3"),
    "kimi_k2": Names("kimi_k2", "kimi_k2"),
    "deepseek_v31": Names("deepseekv31", "deepseek-v3"),
    "deepseek_v32": Names("deepseekv32", "deepseek-v3"),
    "minimax_m2": Names("minimax-m2", "qwen3"),  # `minimax` is the same, but always begins inside reasoning
    "llama3_json": Names("llama3", None),
    "mistral": Names("mistral", "mistral"),
    "deepseek_v3": Names("deepseekv3", "deepseek-v3"),
    "gemma4": Names("gemma4", "gemma4"),
}

LLAMACPP = {family: Names("", None) for family in VLLM if family not in ("harmony", "deepseek_v3")}
"""llama.cpp finds its parser by the chat template; the driver knows which, and why two are missing."""

PROMPT_ENDS = {
    "glm45": ("<|assistant|>", "<|assistant|>\n<think>"),
    "glm47": ("<|assistant|></think>", "<|assistant|><think>"),
    "harmony": ("<|start|>assistant", "<|start|>assistant"),
    "hermes": ("<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n"),
    "qwen3_coder": ("<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n"),
    "kimi_k2": ("<|im_assistant|>assistant<|im_middle|>", "<|im_assistant|>assistant<|im_middle|><think>"),
    "deepseek_v31": ("<｜Assistant｜></think>", "<｜Assistant｜><think>"),
    "deepseek_v32": ("<｜Assistant｜></think>", "<｜Assistant｜><think>"),
    "minimax_m2": ("]~b]ai\n", "]~b]ai\n<think>\n"),
    "llama3_json": ("<|start_header_id|>assistant<|end_header_id|>\n\n",) * 2,
    "mistral": ("[/INST]", "[/INST][THINK]"),
    "deepseek_v3": ("<｜Assistant｜>", "<｜Assistant｜><think>\n"),
    "gemma4": ("<|turn>model\n", "<|turn>model\n<|channel>thought\n"),
}
"""How a prompt ends: as the model begins to answer, and where the template has opened its reasoning."""

STOPS = {
    "glm45": ("<|observation|>", "<|user|>", "<|endoftext|>"),
    "glm47": ("<|observation|>", "<|user|>", "<|endoftext|>"),
    "harmony": ("<|call|>", "<|return|>"),
    "hermes": ("<|im_end|>", "<|endoftext|>"),
    "qwen3_coder": ("<|im_end|>", "<|endoftext|>"),
    "kimi_k2": ("<|im_end|>", "[EOS]"),
    "deepseek_v31": ("<｜end▁of▁sentence｜>",),
    "deepseek_v32": ("<｜end▁of▁sentence｜>",),
    "minimax_m2": ("[e~[",),
    "llama3_json": ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
    "mistral": ("</s>",),
    "deepseek_v3": ("<｜end▁of▁sentence｜>",),
    "gemma4": ("<turn|>", "<eos>", "<|tool_response>"),
}
"""The tokens that end a reply. Engines keep them from their parsers' text."""

REASONING_TAGS = {
    "harmony": None,
    "llama3_json": None,
    "mistral": ("[THINK]", "[/THINK]"),
    "gemma4": ("<|channel>", "<channel|>"),
}
"""What opens and closes reasoning; None where no prompt ends inside it. Of all others: `THINK_TAGS`."""

THINK_TAGS = ("<think>", "</think>")
