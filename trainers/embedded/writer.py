"""A causal model on this machine, asked one prompt at a time: it writes greedily, or weighs given answers.

The keys and values of the last prompt are kept, and only what differs from it is run: prompts of one rung begin alike.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from trainers.lora.base import end_ids, load_model, load_tokenizer
from trainers.lora.cache import roomy_cache
from trainers.lora.machine import choose_arithmetic, find_device

_TOGETHER = 16  # answers that are weighed in one pass: each needs its own copy of the prompt's keys and values


class Writer:
    """One model and the memory of its last prompt. Not safe to share between threads; `another` is for a second one."""

    def __init__(self, folder: Path) -> None:
        device = find_device()
        arithmetic = choose_arithmetic(device)
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision(arithmetic.precision)
        self._tokenizer: Any = load_tokenizer(folder)
        self._model: Any = load_model(folder, dtype=arithmetic.dtype, attention="sdpa", device=device.kind).eval()
        self._ends = frozenset(end_ids(folder, self._tokenizer)) or frozenset({int(self._tokenizer.eos_token_id)})
        self._layers = int(self._model.config.num_hidden_layers)
        self._device = device.kind
        self.longest = int(self._model.config.max_position_embeddings)
        self._forget()

    def another(self) -> Writer:
        """A writer over the same weights with a memory of its own."""
        twin = copy.copy(self)
        twin._forget()
        return twin

    def _forget(self) -> None:
        self._cache = roomy_cache(self._layers)
        self._seen: list[int] = []

    def tokens_of(self, messages: Sequence[Any]) -> list[int]:
        """The tokens of a conversation, up to where the model is to answer."""
        turns = [dict(message) for message in messages]
        told = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)
        return list(told["input_ids"])

    @torch.inference_mode()
    def write(self, prompt: Sequence[int], most: int) -> tuple[str, int]:
        """What the model writes after the prompt, at most `most` tokens, and how many it wrote."""
        scores = self._read(prompt)
        written: list[int] = []
        while len(written) < most:
            token = int(scores.argmax())
            written.append(token)
            if token in self._ends or len(written) == most:
                break
            scores = self._run([token])
        kept = [token for token in written if token not in self._ends]
        return str(self._tokenizer.decode(kept, skip_special_tokens=True)).strip(), len(written)

    @torch.inference_mode()
    def weigh(self, prompt: Sequence[int], answers: Sequence[str]) -> tuple[float, ...]:
        """The log-probability of each answer, its end included, as what comes after the prompt."""
        first = torch.log_softmax(self._read(prompt).float(), dim=-1)
        end = min(self._ends)
        rows = [[*self._tokenizer(answer, add_special_tokens=False)["input_ids"], end] for answer in answers]
        weights: list[float] = []
        for start in range(0, len(rows), _TOGETHER):
            weights += self._weighed(rows[start : start + _TOGETHER], first)
        return tuple(weights)

    def _weighed(self, rows: list[list[int]], first: torch.Tensor) -> list[float]:
        width = max(map(len, rows)) - 1
        ids = torch.tensor([(row[:-1] + [0] * width)[:width] for row in rows], device=self._device)
        cache = roomy_cache(self._layers)
        layers: list[Any] = self._cache.layers
        for at, layer in enumerate(layers):
            keys, values = (part.expand(len(rows), -1, -1, -1) for part in (layer.keys, layer.values))
            cache.update(keys, values, at)
        # Padding stands on the right, where a causal model never looks, so no mask is needed.
        scores = self._model(input_ids=ids, past_key_values=cache, use_cache=True).logits.float()
        later = torch.log_softmax(scores, dim=-1)
        return [
            float(first[row[0]]) + sum(float(later[place, at, token]) for at, token in enumerate(row[1:]))
            for place, row in enumerate(rows)
        ]

    def _read(self, prompt: Sequence[int]) -> torch.Tensor:
        """The scores of the first token after the prompt; what the last prompt began with alike is not run again."""
        shared = 0
        while shared < min(len(self._seen), len(prompt) - 1) and self._seen[shared] == prompt[shared]:
            shared += 1
        if shared:
            if more := len(self._seen) - shared:
                self._cache.crop(-more)
            del self._seen[shared:]
        else:
            self._forget()
        return self._run(list(prompt[shared:]))

    def _run(self, tokens: list[int]) -> torch.Tensor:
        ids = torch.tensor([tokens], device=self._device)
        told = self._model(input_ids=ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._seen += tokens
        scores: torch.Tensor = told.logits[0, -1]
        return scores
