"""Where the base model comes from: one that a package carries, a folder, or a hub name pinned by its revision."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import sha256_of_file
from advisor.base.safetext import plain
from trainers.contract import Progress
from trainers.embedded.models import EMBEDDED, MINILM, SMOLLM2
from trainers.embedded.store import ensure, folder_of, is_present
from trainers.lora.sizes import EMBEDDED_SHAPE as EMBEDDED_SHAPE
from trainers.lora.sizes import ENCODER_SHAPE, shape_in
from trainers.lora.sizes import Shape as Shape

_HUB = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})")


def locate(name: str, folder: Path, progress: Progress | None = None) -> Path | str:
    """The base as a folder, or as `owner/name@revision`. With `progress`, an embedded model is fetched when absent.

    Raises `BadInput` for a name that is none of the three, an unpinned hub name, or a folder without safetensors.
    """
    if name in EMBEDDED:
        model = EMBEDDED[name]
        return ensure(model, progress) if progress is not None else folder_of(model)
    place = Path(name) if Path(name).is_absolute() else folder / name
    if place.is_dir():
        return _checked_folder(place)
    if _HUB.fullmatch(name):
        return name
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@.*)?", name) and not name.startswith("."):
        raise BadInput(
            f"{plain(name, 80)} is not pinned: a hub name can change what it holds from one day to the next.",
            why="A run that cannot be repeated cannot be believed, and a changed repository can carry other files.",
            fix="Add the full revision: owner/name@<40 hexadecimal digits> (the commit, from the model's page).",
            code="unpinned-model",
        )
    raise BadInput(
        f"There is no base model {plain(name, 80)!r}.",
        fix=f"Use one of {', '.join(EMBEDDED)}, a folder with config.json and *.safetensors, or owner/name@revision.",
        code="no-base-model",
    )


def _checked_folder(place: Path) -> Path:
    if not (place / "config.json").is_file():
        raise BadInput(
            f"{place} holds no config.json.", where=str(place), fix="Name the folder of a saved model.", code="no-model"
        )
    if not any(place.glob("*.safetensors")):
        raise BadInput(
            f"{place} holds no *.safetensors.",
            where=str(place),
            why="Weights in .bin or .pt files are pickles: loading one can run any code (CVE-2025-32434).",
            fix="Save the model again with safetensors: model.save_pretrained(folder).",
            code="no-safetensors",
        )
    try:
        config = json.loads((place / "config.json").read_text())
    except ValueError as error:
        raise BadInput(
            "Its config.json is not whole JSON.",
            where=str(place / "config.json"),
            fix="Save the model again.",
            code="no-model",
        ) from error
    if config.get("auto_map"):
        raise BadInput(
            f"The model in {place.name} brings code of its own (auto_map in config.json).",
            where=str(place / "config.json"),
            why="Foreign code is never run here: trust_remote_code stays off.",
            fix="Choose a model that transformers knows by itself.",
            code="remote-code",
        )
    return place


def read_shape(where: Path | str) -> Shape | None:
    """The sizes of a model in a folder, or of a hub name whose configuration was fetched; None where it was not."""
    if isinstance(where, str):
        kept = _hub_config(where, fetch=False)
        return shape_in(kept.parent) if kept else None
    return shape_in(where)


def _hub_config(name: str, *, fetch: bool) -> Path | None:
    """The configuration of a pinned hub name in the hub's own cache, with `fetch` asked for where it is not there."""
    try:
        import huggingface_hub
    except ImportError:
        return None
    owner, _, revision = name.partition("@")
    kept = huggingface_hub.try_to_load_from_cache(owner, "config.json", revision=revision)
    if isinstance(kept, str):
        return Path(kept)
    if not fetch:
        return None
    try:
        return Path(huggingface_hub.hf_hub_download(owner, "config.json", revision=revision))
    except (OSError, ValueError):  # offline, no such name, or a licence that must be agreed to first
        return None


def context_of(where: Path | str, tokenizer: Any) -> int:
    """How many tokens the model can read, at most 131,072 where it does not say."""
    shape = read_shape(where)
    return shape.context if shape else min(int(tokenizer.model_max_length), 131_072)


def shape_of_base(name: str, folder: Path) -> Shape | None:
    """The sizes of a base by its name. No weights are fetched; of a hub name its configuration is, some kilobytes."""
    if name in EMBEDDED and not is_present(EMBEDDED[name]):
        return {SMOLLM2.name: EMBEDDED_SHAPE, MINILM.name: ENCODER_SHAPE}[name]
    where = locate(name, folder)
    if isinstance(where, str):
        _hub_config(where, fetch=True)
    return read_shape(where)


def tokenizer_file(name: str, folder: Path) -> Path | None:
    """The file that cuts texts into tokens for a base, where it lies here; nothing is fetched."""
    where = locate(name, folder)
    config = _hub_config(where, fetch=False) if isinstance(where, str) else where / "config.json"
    file = config.with_name("tokenizer.json") if config else None
    return file if file and file.is_file() else None


def size_cure(name: str) -> str:
    """How the sizes of a base become known."""
    owner, pinned, revision = name.partition("@")
    if pinned:
        return f"Fetch it once with network (hf download {owner} --revision {revision}) and plan again"
    return "Save the model again, with its whole config.json"


def load_tokenizer(where: Path | str) -> Any:
    """The tokenizer of a located base. Raises `EnvironmentMissing` when a hub cannot be reached."""
    from transformers import AutoTokenizer

    return _from_pretrained(AutoTokenizer, where)


def load_model(
    where: Path | str, *, dtype: str, attention: str, device: str = "cpu", kind: str = "CausalLM", **more: Any
) -> Any:
    """The model of a located base, every weight frozen, in evaluation mode.

    `kind` is what transformers' AutoModelFor is followed by: CausalLM, SequenceClassification with a fresh head, or
    "" for the body alone.
    """
    import torch
    import transformers

    model = _from_pretrained(
        getattr(transformers, f"AutoModelFor{kind}" if kind else "AutoModel"),
        where,
        dtype=getattr(torch, dtype),
        attn_implementation=attention,
        use_safetensors=True,
        **more,
    )
    if not more.get("device_map"):
        model.to(device)
    model.requires_grad_(False)
    return model.eval()


def end_ids(where: Path | str, tokenizer: Any) -> list[int]:
    """The tokens that end an answer, by the model's generation settings and its tokenizer; no weights are read."""
    from transformers import AutoConfig, GenerationConfig

    kind: Any = AutoConfig
    if isinstance(where, str) or (where / "generation_config.json").exists():
        kind = GenerationConfig
    said = _from_pretrained(kind, where).eos_token_id
    listed = said if isinstance(said, list) else [] if said is None else [said]
    own = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return sorted({int(token) for token in [*listed, *own]})


def fingerprint(where: Path | str) -> str:
    """What names this base for good: the SHA-256 of its first weights file, or the pinned hub name."""
    if isinstance(where, str):
        return where
    return "sha256:" + sha256_of_file(sorted(where.glob("*.safetensors"))[0])


def _from_pretrained(kind: Any, where: Path | str, **more: Any) -> Any:
    if isinstance(where, str):
        name, revision = where.split("@")
        more["revision"] = revision
    else:
        name, more["local_files_only"] = str(where), True
    if kind.__name__ != "GenerationConfig":
        more["trust_remote_code"] = False
    try:
        return kind.from_pretrained(name, **more)
    except (OSError, ValueError, ImportError) as error:
        raise EnvironmentMissing(
            f"The base model {plain(name, 80)} cannot be loaded: {plain(error, 200)}",
            fix="Fetch it into a folder on a machine with network and name that folder, or use smollm2-135m-instruct.",
            code="cannot-load-base",
        ) from error
