"""Public defects of parsers, row by row as they were collected, and the cases that would have shown them."""

from __future__ import annotations

BUGS: dict[str, tuple[str, ...]] = {
    # GLM
    "vllm#27703": ("glm47/stray-tag-closers", "glm47/thinking-reopened-redundant"),
    "vllm#31220": ("glm47/the-prompt-opened-thinking",),
    "vllm#33218 sglang#11888": ("glm45/a-value-keeps-its-newlines", "glm45/a-thought-a-call"),
    "vllm#34449 vllm#39253": ("glm47/five-calls-at-once",),
    "vllm#35208": ("glm47/truncated-call-before-an-argument",),
    "vllm#36410": ("glm47/double-encoded-as-written", "glm47/json-in-a-string-is-a-string"),
    "vllm#37023 vllm#37044": ("glm47/stray-tag-closers", "glm47/answer-without-a-closer"),
    "vllm#39757 vllm#40071": ("glm47/truncated-name-no-call",),
    "vllm#41654 vllm#44326 vllm#44327 vllm#48131": ("glm47/zero-arguments", "glm47/zero-arguments-newline"),
    "vllm#42400 vllm#46040 vllm#40659": ("glm47/call-in-thinking-a-call",),
    "vllm#45915": ("glm47/zero-arguments-between-others", "glm45/two-calls"),
    "vllm#45413 vllm#46183": ("glm47/no-tools-offered",),
    "vllm#47137": ("glm47/truncated-marker-in-content",),
    "vllm#47190": ("glm47/no-key-opener-glued",),
    "sglang#15405": ("glm47/zero-arguments",),
    "sglang#15754": ("glm47/truncated-name-no-call", "glm47/no-name-empty"),
    "sglang#33324": ("glm47/five-calls-at-once",),
    "sglang#33901": ("glm47/zero-arguments-between-others",),
    "sglang#35564 sglang#35625": ("glm47/zero-arguments-between-others", "glm47/tags-quoted-in-a-value-are-its-text"),
    "sglang#37634": ("glm47/zero-arguments-between-others", "hermes/five-calls", "minimax_m2/two-in-one-section"),
    "sglang#36688": (
        "glm47/an-integer-is-not-quoted-an-object-closes-all-its-braces",
        "glm47/a-word-where-a-number-belongs-is-a-string",
    ),
    "sglang#37645 sglang#37644": ("glm47/unclosed-thinking-reasoning",),
    "sglang#39493": ("glm45/two-calls",),
    "sglang#29441": ("glm47/blank-content-around-calls",),
    "fw-ai/python-sdk#119": ("glm47/value-without-key-closer-only",),
    "antirez/ds4#569 antirez/ds4#1016 JustVugg/colibri#118": (
        "glm47/a-number-like-string-stays-one",
        "glm47/numbers-keep-their-digits",
    ),
    "waybarrios/vllm-mlx#246": ("glm47/no-thought-then-a-call",),
    "anomalyco/opencode#6708": ("glm47/call-in-thinking-a-call",),
    "llama.cpp#15186 llama.cpp#15904 llama.cpp#16932 llama.cpp#19612": ("glm47/opener-mentioned-json",),
    "pwilkin/llama.cpp#5 llama.cpp#20650 llama.cpp#20424": ("glm47/zero-arguments", "glm47/no-name-nothing-inside"),
    # gpt-oss
    "harmony#38 vllm#23567 vllm#51977 vllm#57099": (
        "harmony/recipient-place-both",
        "harmony/call-without-message-thought-behind-the-constrain-marker",
    ),
    "harmony#60 vllm#22515 vllm#22519": (
        "harmony/missing-start-channel-in-a-body",
        "harmony/missing-start-only-the-role",
    ),
    "harmony#27 harmony#47 harmony#53 harmony#64": ("harmony/content-type-no-marker",),
    "harmony#76": ("harmony/content-type-glued",),
    "harmony#97": ("harmony/repeated-marker-channel",),
    "harmony#114": ("harmony/recipient-place-author-s-part",),
    "vllm#31677 vllm#32587 vllm#32633 vllm#35906": (
        "harmony/recipient-place-author-s-part-bare-commentary",
        "harmony/repeated-marker-channel-in-a-call-s-header",
    ),
    "vllm#28303": ("harmony/header-without-message-refusal",),
    "vllm#45570 vllm#45571 vllm#45657": ("harmony/content-type-of-an-answer",),
    "vllm#45736 vllm#47062": ("harmony/truncated-header-name",),
    "vllm#35907 vllm#35902 vllm#35779": ("harmony/call-in-thinking-a-call", "harmony/two-thoughts"),
    "vllm#35540": ("harmony/unknown-channel-none",),
    "vllm#42454": ("harmony/bare-recipient-offered",),
    "vllm#26291": ("harmony/a-preamble-is-content",),
    "vllm#37937": ("harmony/truncated-call-in-a-string", "harmony/the-engine-stripped-the-stop-token"),
    "sglang#9043": ("harmony/a-thought-a-call",),
    "llama.cpp#15181": ("harmony/recipient-place-author-s-part-bare-commentary",),
    "llama.cpp#21286 llama.cpp#15417": ("harmony/other-recipient-the-assistant", "harmony/after-return-more"),
    "TensorRT-LLM#9256 mlx-lm#875 Rapid-MLX#444 Rapid-MLX#480 kekzl/imp#1716 vllm-mlx#562 vllm-mlx#581 "
    "lmstudio-bug-tracker#942 hermes-agent#84231": ("harmony/call-on-any-channel-none",),
    # others
    "vllm#48020 vllm#48636 vllm#48342 vllm#38866 vllm#30866 sglang#18236 sglang#35563": (
        "deepseek_v31/zero-arguments",
        "deepseek_v31/arguments-are-verbatim",
        "deepseek_v31/a-call-of-one-letter-s-argument",
        "deepseek_v31/with-its-section",
        "deepseek_v31/a-number-at-the-end",
        "deepseek_v3/two-on-their-lines",
        "deepseek_v31/section-none",
    ),
    "vllm#47901 vllm#47907 vllm#48294 vllm#48852 vllm#55082": ("llama3_json/bare-two",),
    "vllm#53638": ("hermes/opener-mentioned-twice", "hermes/text-behind-json-a-brace"),
    "vllm#22975 vllm#33965 vllm#40861 vllm#30439 noonghunna/club-3090#72 noonghunna/club-3090#1191": (
        "qwen3_coder/missing-opener-offered",
        "qwen3_coder/missing-opener-not-offered",
        "qwen3_coder/opener-mentioned-in-prose",
        "qwen3_coder/opener-mentioned-in-quotes",
    ),
    "vllm#29596 vllm#21259 vllm#46344 vllm#24478 llxprt-code#713 kimi-cli#443 llama.cpp#17376": (
        "kimi_k2/a-running-number",
        "kimi_k2/call-id-no-prefix",
        "kimi_k2/section-singular",
        "kimi_k2/section-none",
    ),
    "vllm#41967": ("gemma4/calls-in-one-increment",),
    "vllm#57950": ("glm47/a-name-with-a-dash-and-a-dot",),
    "llama.cpp#20260": ("glm47/text-before-a-call",),
    "vllm#48645": ("hermes/unclosed-thinking-reasoning",),
}
"""Reports of one row → cases; each report is guarded by one of them."""

OUT_OF_A_PARSERS_HANDS = {
    "vllm#56635": "the state was taken from earlier turns of the prompt; here a test says how the prompt ended",
    "vllm#39611 vllm#39614 vllm#39899 recipes#327": "the template lost a tool's result",
    "vllm#56605": "the engine wrote word salad",
    "sglang#9489": "how the history is rendered",
    "sglang#22595": "how the history is rendered",
    "sglang#28035": "how the history is rendered",
    "vllm#27653": "reasoning was not in the prompt",
    "vllm#28729": "how the history is rendered",
    "vllm#50188 vllm#43559 vllm#48375 vllm#53912 club-3090#710": "the cache",
    "sglang#32459": "the cache",
}
"""Rows of the same collection that no text of a reply can show, and why."""
