"""Greedy answers for many prompts at once; what the prompts share at their head is run once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from trainers.lora.cache import roomy_cache
from trainers.lora.forward import AnswerLoss, KeysValues


@torch.no_grad()
def answer(
    loss_of: AnswerLoss,
    prompts: Sequence[Sequence[int]],
    *,
    end_ids: frozenset[int],
    longest: int,
    batch: int = 16,
    told: Callable[[int], None] | None = None,
) -> list[list[int]]:
    """For each prompt the tokens the model writes, at most `longest`, up to and with an end token. In the order given.

    No answer goes beyond what the model can read: positions that it never saw give noise, or end the program.

    Greedy, so the same model gives the same answers. Prompts are sorted by length, padded on the left, and leave the
    batch as they end.
    """
    if not prompts:
        return []
    shared = _common_head(prompts)
    prefix = loss_of.run_prefix(list(prompts[0][:shared])) if shared >= 16 and loss_of.can_share else None
    skip = shared if prefix else 0
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    answers: list[list[int]] = [[] for _ in prompts]
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        for index, words in zip(
            part, _batch([prompts[i] for i in part], loss_of, prefix, skip, end_ids, longest), strict=True
        ):
            answers[index] = words
        if told:
            told(min(len(order), start + batch))
    return answers


def _common_head(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with, leaving each at least one of its own."""
    first, last = min(map(tuple, prompts)), max(map(tuple, prompts))
    common = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return min(common, min(map(len, prompts)) - 1)


def _batch(
    prompts: Sequence[Sequence[int]],
    loss_of: AnswerLoss,
    prefix: KeysValues | None,
    skip: int,
    end_ids: frozenset[int],
    longest: int,
) -> list[list[int]]:
    device = loss_of.device
    width = max(len(prompt) for prompt in prompts) - skip
    ids = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), skip + width), dtype=torch.long)
    mask[:, :skip] = 1
    for place, prompt in enumerate(prompts):
        own = torch.tensor(prompt[skip:])
        ids[place, width - len(own) :] = own
        mask[place, skip + width - len(own) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, skip:]
    cache = roomy_cache(loss_of.model.config.get_text_config().num_hidden_layers) if loss_of.can_share else None
    for layer, (keys, values) in enumerate(prefix or ()):
        cache.update(keys.expand(len(prompts), -1, -1, -1), values.expand(len(prompts), -1, -1, -1), layer)  # type: ignore[union-attr]  # a prefix is shared only where it can be
    words: list[list[int]] = [[] for _ in prompts]
    alive = list(range(len(prompts)))
    for _ in range(longest):
        output = loss_of.decoder(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        cache = output.past_key_values
        chosen = loss_of.head(output.last_hidden_state[:, -1]).argmax(-1).to(device)
        going = []
        for place, token in enumerate(chosen.tolist()):
            words[alive[place]].append(token)
            length = len(prompts[alive[place]]) + len(words[alive[place]])
            if token not in end_ids and length < loss_of.context:
                going.append(place)
        if not going:
            break
        if len(going) < len(alive):
            keep = torch.tensor(going)  # not on a card: the layers may lie on several
            cache.batch_select_indices(keep)
            chosen, mask, positions = chosen[keep], mask[keep], positions[keep]
            alive = [alive[place] for place in going]
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones((len(alive), 1))], dim=1)
    return words
