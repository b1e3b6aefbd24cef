"""A checkpoint: adapters, optimiser, step, random state and history in one folder, whole or absent.

Written beside its place and renamed into it with a marker that lists every file's size and SHA-256, so a kill or a
full disk leaves the one before. Safetensors and JSON only; nothing in it can run. The checkpoints of
transformers are not used: they hold a pickle with the hub token in it, and resuming from one that was cut short dies.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from advisor.base.files import fill_atomically, sha256_of_file, to_json, write_atomically

MARKER = "COMPLETE"
_KEEP = 2


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that the next step depends on. `state` is plain JSON: step, history, settings that must not change."""

    weights: dict[str, Tensor]
    moments: dict[str, Tensor]
    random_state: Tensor
    state: dict[str, Any]


def save_bundle(folder: Path, bundle: Bundle) -> Path:
    """Write `folder/step-<n>`, then drop all but the two newest. Raises `EnvironmentMissing` on a full disk."""
    final = folder / f"step-{bundle.state['step']:06d}"
    scratch = folder / f".{final.name}.{os.getpid()}.part"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        write_tensors(scratch / "adapter.safetensors", bundle.weights)
        write_tensors(scratch / "optimiser.safetensors", {**bundle.moments, "random": bundle.random_state})
        write_atomically(scratch / "state.json", to_json(bundle.state))
        listing = {p.name: [p.stat().st_size, sha256_of_file(p)] for p in sorted(scratch.iterdir())}
        write_atomically(scratch / MARKER, to_json(listing))
        shutil.rmtree(final, ignore_errors=True)
        scratch.rename(final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for old in _folders(folder)[:-_KEEP]:
        # The marker goes first, so that a kill half-way through the removal leaves nothing that looks whole.
        with contextlib.suppress(OSError):
            (old / MARKER).unlink()
        shutil.rmtree(old, ignore_errors=True)
    return final


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Replace `path` by these tensors, whole or not at all; none is copied in memory, whatever their size.

    Raises `EnvironmentMissing` on a full disk.
    """

    def fill(scratch: Path) -> None:
        try:
            save_file(tensors, scratch, metadata=metadata)
        except SafetensorError as error:
            # The library tells what the system said in words only.
            told = re.search(r"os error (\d+)", str(error))
            number = int(told.group(1)) if told else errno.EIO
            raise OSError(number, os.strerror(number)) from error
        with scratch.open("rb+") as stream:
            os.fsync(stream.fileno())

    fill_atomically(path, fill, size=sum(tensor.nbytes for tensor in tensors.values()))


def newest_bundle(folder: Path) -> Bundle | None:
    """The newest checkpoint whose every byte is as its marker says, or None. Broken ones are passed over."""
    for place in reversed(_folders(folder)):
        if not _is_whole(place):
            continue
        # Mapped, not read: of several processes on one machine each takes only its share of the same memory.
        # A marker can vouch for files that are no tensors; such a checkpoint is passed over like a torn one.
        with contextlib.suppress(SafetensorError, ValueError, KeyError):
            tensors = load_file(place / "optimiser.safetensors")
            random_state = tensors.pop("random")
            weights = load_file(place / "adapter.safetensors")
            return Bundle(weights, tensors, random_state, json.loads((place / "state.json").read_text()))
    return None


def _folders(folder: Path) -> list[Path]:
    return sorted(place for place in folder.glob("step-*") if place.is_dir()) if folder.is_dir() else []


def _is_whole(place: Path) -> bool:
    try:
        listing = json.loads((place / MARKER).read_text())
        return set(listing) == {"adapter.safetensors", "optimiser.safetensors", "state.json"} and all(
            (place / name).stat().st_size == size and sha256_of_file(place / name) == digest
            for name, (size, digest) in listing.items()
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def random_state() -> Tensor:
    """Torch's random state on the processor."""
    return torch.get_rng_state()
