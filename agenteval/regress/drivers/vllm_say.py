"""A logits processor for vLLM: a request says what it is told, whatever the model would. Imports nothing of agenteval.

    PYTHONPATH=…/agenteval/regress/drivers VLLM_ENFORCE_STRICT_TOOL_CALLING=0 \
        vllm serve MODEL --logits-processors vllm_say:Say …

Token ids come with the request, in `vllm_xargs: {"agenteval_say": […]}`; behind the last of them stands the token that
ends a reply. Requests without them are left alone. The environment variable keeps vLLM's own grammar away: it would end
a reply that leaves it.
"""

import torch
from vllm.v1.sample.logits_processor import LogitsProcessor

SAY = "agenteval_say"


class Say(LogitsProcessor):
    """Keeps, for each row of the batch, what is to be said and what was said already."""

    def __init__(self, vllm_config, device, is_pin_memory):
        ends = vllm_config.model_config.hf_config.eos_token_id
        self.end = ends[0] if isinstance(ends, list) else ends
        self.rows = {}

    def is_argmax_invariant(self):
        return False

    def update_state(self, batch_update):
        if batch_update is None:
            return
        for index in batch_update.removed:
            self.rows.pop(index, None)
        for index, params, _, said in batch_update.added:
            ids = (params.extra_args or {}).get(SAY)
            if ids is None:
                self.rows.pop(index, None)
            else:
                self.rows[index] = ([int(number) for number in ids], said)
        for one, other, direction in batch_update.moved:
            moved, there = self.rows.pop(one, None), self.rows.pop(other, None)
            if moved is not None:
                self.rows[other] = moved
            if there is not None and direction.name == "SWAP":
                self.rows[one] = there

    def apply(self, logits):
        for index, (ids, said) in self.rows.items():
            wanted = ids[len(said)] if len(said) < len(ids) else self.end
            logits[index] = torch.full_like(logits[index], float("-inf"))
            logits[index, wanted] = 0.0
        return logits
