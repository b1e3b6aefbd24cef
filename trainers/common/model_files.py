"""How every model stands in a run folder: `model.json` with its form, plain arrays, and skops files of listed types.

What a torn or hostile file raises on the way back ends here in one error with its cure; no pickle is written or read.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.files import inside, read_text, to_json
from trainers.common.runfolder import keep
from trainers.common.skops_io import skops_io

FILE = "model.json"


def write_model(run: Path, form: int, content: dict[str, Any]) -> None:
    """Write `model.json`, with the number of its form."""
    keep(run, FILE, to_json({"form": form, **content}))


def read_model(run: Path, form: int) -> dict[str, Any]:
    """The content of `model.json`. Raises `BadInput` for another form. For use within `told_as_damage`."""
    content: dict[str, Any] = json.loads(read_text(run / FILE))
    if content["form"] != form:
        raise BadInput(
            f"The model was written in form {content['form']}; this version reads form {form}.",
            where=str(run / FILE),
            fix=f"Use the version named in {run / 'run.json'}, or train again.",
            code="model-form",
        )
    return content


@contextmanager
def told_as_damage(run: Path) -> Iterator[None]:
    """What reading a model's files raises, as `BadInput`. The caller has verified the run against its hashes."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile) as error:
        raise BadInput(
            f"The model of {run.name} cannot be used: {type(error).__name__}.",
            where=str(run / FILE),
            fix=_again(run),
            code="damaged-run",
        ) from error


def write_arrays(run: Path, name: str, **arrays: Any) -> None:
    """Write arrays of numbers into one file."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    keep(run, name, stream.getvalue())


def read_arrays(run: Path, name: str) -> dict[str, Any]:
    """The arrays of one file. For use within `told_as_damage`."""
    with np.load(inside(run, name), allow_pickle=False) as kept:
        return {key: np.asarray(kept[key]) for key in kept.files}


def write_fitted(run: Path, name: str, fitted: object) -> None:
    """Write what scikit-learn fitted."""
    for step in steps_of(fitted):
        if words := getattr(step, "vocabulary_", None):
            # Where only the commonest words are kept, scikit-learn numbers them by numpy, and skops makes an entry of
            # its own of each number: six seconds for ten thousand words, and the square of that for more.
            step.vocabulary_ = {word: int(place) for word, place in words.items()}
    keep(run, name, skops_io().dumps(fitted, compression=zipfile.ZIP_DEFLATED))


def read_fitted(run: Path, name: str, trusted: Sequence[str], fix: str = "") -> Any:
    """What scikit-learn fitted, built from types that skops knows and those listed; never from the file's own list."""
    path = inside(run, name)
    try:
        return skops_io().load(path, trusted=list(trusted))
    except Exception as error:  # a hostile or torn file can make skops fail in any way; none may pass as our bug
        raise BadInput(
            f"{path.name} is not a model this tool wrote: {type(error).__name__}.",
            where=str(path),
            why="Only a fixed list of types is ever loaded, so that a model file cannot run code.",
            fix=fix or _again(run),
            code="untrusted-model",
        ) from error


def steps_of(fitted: Any) -> Iterator[Any]:
    """Every step, transformer and copy within a fitted pipeline, and itself."""
    yield fitted
    inner = [step for _, step in getattr(fitted, "steps", ())]
    inner += [step for _, step in getattr(fitted, "transformer_list", ())]
    inner += [step for _, step, *_ in getattr(fitted, "transformers_", ())] + list(getattr(fitted, "models_", ()))
    for step in inner:
        yield from steps_of(step)


def _again(run: Path) -> str:
    return f"Train it again: train-or-not train {run.parent.parent} --again"
