"""A one-layer GLM-4.x-MoE whose next token is drawn from `glm_chain.CHAIN`; its weights are set by hand.

    mkglm.py [--gguf OUT.gguf] [--hf DIR] --template glm_style.jinja        numpy, and gguf for the GGUF

The residual is a one-hot of the last token, the MLPs are zero, lm_head is a table of log-probabilities. One attention
head looks at `[gMASK]` and every `<|observation|>` alike, so that n observations give n/(n+1); with this the choice at
`</think>` tips from call (n <= 2) to answer (n >= 3).
"""

from __future__ import annotations

import argparse
import math
import pathlib

import glm_chain as chain
import numpy as np
from glmfiles import CTRL, GAIN, HD, MARK, NH, H, Vocabulary, one_hot_rows, write_gguf, write_hf, zeros

OWN = [*chain.THINK, *chain.ANSWER, *chain.NAMES, *chain.KEYS, *chain.VALUES]
WRITTEN = 0.02
"""Size of what the head writes beside the one-hot: small, so that the last norm hardly changes."""
SHARPNESS = 600.0
"""Nats for each unit of n/(n+1): 25 to either side of the tipping point."""


def wire(vocabulary: Vocabulary) -> tuple:
    ids = vocabulary.ids
    live = [*CTRL, *MARK, *OWN]
    dims = {token: at for at, token in enumerate(live, start=1)}
    counted = len(live) + 1
    wide, free = NH * HD, HD - 1  # a dimension that RoPE does not rotate
    wq, bq, wk, wv, wo = zeros(wide, H), zeros(wide), zeros(wide, H), zeros(wide, H), zeros(H, wide)
    bq[free] = 40 * math.sqrt(HD)
    wk[free, dims["<|observation|>"]] = wk[free, dims["[gMASK]"]] = 1 / GAIN
    wv[0, dims["<|observation|>"]] = 1 / GAIN
    wo[counted, 0] = WRITTEN
    head = np.full((len(vocabulary.tokens), H), -80.0, np.float32)
    head[:, len(live) + 1 :] = 0
    for word in (*chain.ANSWER, "<|user|>"):  # the head pushes them upwards: held down in every state but their own
        head[ids[word], : len(live) + 1] = -3000
        head[ids[word], counted] = SHARPNESS / WRITTEN
    for now, following in chain.CHAIN.items():
        for token, probability in following.items():
            head[ids[token], dims[now]] = math.log(probability)
    for word in chain.THINK:
        head[ids[word], 0] = -math.log(len(chain.THINK))
    head[ids["<tool_call>"], dims["</think>"]] = 0
    n = chain.CALLS_UNTIL_RESULTS
    tips_at = ((n - 1) / n + n / (n + 1)) / 2
    for word in chain.ANSWER:
        head[ids[word], dims["</think>"]] = -SHARPNESS * tips_at - math.log(len(chain.ANSWER))
    return one_hot_rows(vocabulary.tokens, dims), (wq, bq, wk, wv, wo), head / GAIN


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--gguf")
    options.add_argument("--hf")
    options.add_argument("--template", required=True)
    given = options.parse_args()
    template = pathlib.Path(given.template).read_text()
    vocabulary = Vocabulary(template + " ".join(OWN), OWN)
    weights = wire(vocabulary)
    if given.gguf:
        write_gguf(given.gguf, "glm", vocabulary, weights, template)
    if given.hf:
        write_hf(given.hf, vocabulary, weights, template)


if __name__ == "__main__":
    main()
