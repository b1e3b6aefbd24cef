"""Rows cut into tokens once and kept in the case, so that the next run and one taken up after a kill need not wait.

What is kept is found by what a row says, under one file a tokenizer and template: rows that are added or parted anew
cost only what is new. A file that is damaged, or not ours, is as good as none and is written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from advisor import __version__
from advisor.base.files import own_folder, write_atomically
from trainers.lora.examples import Example
from trainers.lora.policy import presets
from trainers.lora.tokens import Encoded, Encoder

FOLDER = "tokens"
_SUM = 32

Cut = tuple[tuple[int, ...], tuple[bool, ...]]


class Kept:
    """Tokens and masks of one encoder's rows by what they say, as `file` holds them. The file may be absent."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._rows = _read(file)
        self._used: dict[bytes, Cut] = {}

    def row(self, example: Example, encode: Callable[[Example], Encoded]) -> Encoded:
        """The example's tokens, kept or cut by `encode` now."""
        told = [(message.role, message.content, message.learn) for message in example.messages]
        key = hashlib.sha256(json.dumps(told).encode()).digest()[:16]
        cut = self._used.get(key) or self._rows.get(key)
        if cut is None:
            one = encode(example)
            cut = one.ids, one.learn
        self._used[key] = cut
        return Encoded(example.row, *cut)

    def save(self) -> None:
        """Keep the rows that were asked for, where any is new, there are many, and they are not too large to keep."""
        rules = presets()["tokens"]
        if self._used.keys() <= self._rows.keys() or len(self._used) < rules["kept_from_rows"]:
            return
        content = _written(self._used)
        if len(content) > rules["most_mb"] * 2**20:
            return
        folder = own_folder(self.file.parent)
        write_atomically(self.file, hashlib.sha256(content).digest() + content)
        self.file.chmod(0o600)
        for older in sorted(folder.glob("*.kept"), key=lambda path: -path.stat().st_mtime)[rules["files"] :]:
            older.unlink(missing_ok=True)


@contextlib.contextmanager
def keeping(encoder: Encoder, case: Path) -> Iterator[None]:
    """Inside, the encoder takes from the case what was cut before; afterwards what is new is kept there."""
    backend = getattr(encoder.tokenizer, "backend_tokenizer", None)
    if backend is None:  # a tokenizer that cannot be told by what it holds
        yield
        return
    told = [backend.to_str(), encoder.tokenizer.chat_template, sorted(encoder.end_ids), __version__]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    encoder.kept = Kept(case / FOLDER / f"{key}.kept")
    try:
        yield
        encoder.kept.save()
    finally:
        encoder.kept = None


def _written(rows: dict[bytes, Cut]) -> bytes:
    ids = [cut[0] for cut in rows.values()]
    return save(
        {
            "keys": np.frombuffer(b"".join(rows), dtype=np.uint8),
            "ends": np.cumsum([0, *map(len, ids)], dtype=np.int64),
            "ids": np.fromiter((token for row in ids for token in row), dtype=np.int32),
            "learn": np.fromiter((bit for cut in rows.values() for bit in cut[1]), dtype=np.bool_),
        }
    )


def _read(file: Path) -> dict[bytes, Cut]:
    try:
        content = file.read_bytes()
        if hashlib.sha256(content[_SUM:]).digest() != content[:_SUM]:
            return {}
        kept = load(content[_SUM:])
    except (OSError, SafetensorError):
        return {}
    keys, ids, learn = kept["keys"].tobytes(), kept["ids"].tolist(), kept["learn"].tolist()
    spans: Sequence[tuple[int, int]] = list(pairwise(kept["ends"].tolist()))
    return {
        keys[16 * place : 16 * place + 16]: (tuple(ids[start:end]), tuple(learn[start:end]))
        for place, (start, end) in enumerate(spans)
    }
