"""The sentence model tuned on a few labelled texts: those of one label are drawn together, others pushed apart.

After SetFit (Tunstall et al. 2022, arXiv 2209.11055), with two savings that a processor needs: all pairs within a batch
count, so that a text is read once a step and not once a pair; and only the last layers learn, so that what the others
make of a text is worked out once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.embedded.sentences import SentenceModel, pooled


def tuned_layers(
    model: SentenceModel,
    texts: Sequence[str],
    codes: NDArray[np.int64],
    settings: Mapping[str, Any],
    seed: int,
    within: float = math.inf,
) -> bytes:
    """The last layers after tuning, as safetensors. `codes` [texts] are the labels; `settings` as in the rules.

    Raises `ValueError` where no two texts share a label, and after one step where all would take longer than `within`
    seconds. The same texts and seed give the same weights.
    """
    import torch
    from safetensors.torch import save

    if not (np.bincount(codes) > 1).any():
        raise ValueError("no two texts share a label, so there is nothing to draw together")
    hidden = model.below(texts, int(settings["layers"]), int(settings["tokens"]))
    layers = model.last_layers(int(settings["layers"]))
    steps, rate = int(settings["steps"]), float(settings["rate"])
    optimiser = torch.optim.AdamW(layers.parameters(), lr=rate, weight_decay=float(settings["weight_decay"]))
    draw = np.random.default_rng(seed)
    for step in range(steps):
        begun = time.monotonic()
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / (steps * settings["warm_up"])) * (1 - step / steps)
        batch = _batch(codes, int(settings["batch"]), int(settings["of_a_label"]), draw)
        loss = _apart(_vectors(layers, [hidden[at] for at in batch]), torch.from_numpy(codes[batch]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step == 0 and (expected := (time.monotonic() - begun) * steps) > within:
            raise ValueError(f"tuning takes about {expected:.0f} s here, and {within:.0f} s are left for each fit")
    return bytes(save({name: value.contiguous() for name, value in layers.state_dict().items()}))


def _batch(codes: NDArray[np.int64], size: int, most: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Rows of one step: all where they are few; else two to `most` of each label, of as many labels as fit."""
    if len(codes) <= size:
        return np.arange(len(codes))
    labels = draw.permutation(np.unique(codes))
    each = int(np.clip(size // len(labels), 2, most))
    # Labels that stand alone teach only what is apart; one that does not comes first, so that each step has both.
    labels = labels[np.argsort(np.bincount(codes)[labels] < 2, kind="stable")][: size // each]
    of_label = [np.flatnonzero(codes == label) for label in labels]
    return np.concatenate([draw.choice(rows, min(each, len(rows)), replace=False) for rows in of_label])


def _vectors(layers: Any, hidden: list[Any]) -> Any:
    """The vectors [texts, width] of texts whose states below the layers are `hidden`."""
    import torch

    states = torch.nn.utils.rnn.pad_sequence(hidden, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(one)) for one in hidden], batch_first=True)
    width = states.shape[1]
    barred = ((1 - mask) * torch.finfo(states.dtype).min)[:, None, None, :].expand(-1, 1, width, -1)
    for layer in layers:
        states = layer(states, barred)
    return pooled(states, mask)


def _apart(vectors: Any, codes: Any) -> Any:
    """How far cosines are from 1 for pairs of one label and from 0 for others, each kind of pair counting the same."""
    import torch

    cosines, alike = vectors @ vectors.T, codes[:, None] == codes[None, :]
    pairs = ~torch.eye(len(codes), dtype=torch.bool)
    kinds = [(1 - cosines[alike & pairs]) ** 2, cosines[~alike] ** 2]
    return torch.stack([kind.mean() for kind in kinds if kind.numel()]).mean()
