"""What an exported fine-tuned run needs beside itself: its base where that is a folder, and the merged model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput
from advisor.base.files import inside
from trainers.use.opened import OpenedRun


def copy_base(opened: OpenedRun, folder: Path) -> None:
    """Where the base is a folder of the case, copy it to the same place beside the exported run; else nothing."""
    name = str(opened.record.hyperparameters["base"])
    place = opened.folder.parent.parent / name
    if Path(name).is_absolute() or not place.is_dir():
        return  # carried by a package, pinned on a hub, or named by an address of this machine
    copy = inside(folder, name)
    copy.mkdir(parents=True)
    for path in sorted(place.iterdir()):
        if path.is_file() and path.suffix in (".json", ".safetensors", ".jinja", ".txt", ".model"):
            shutil.copyfile(path, copy / path.name)


def whole_models(
    opened: OpenedRun, folder: Path, policy: dict[str, Any], absent: dict[str, str], say: Callable[[str], None], *,
    int8: bool, gguf: bool,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """The merged model in `folder/merged`, and other forms of it where asked for; what each costs by its name.

    The merged model is kept only where it answers development rows as the run does; eight bits are a choice whose cost
    is told.
    """
    from trainers.lora.shipping import Shipping

    try:
        shipping = Shipping(opened.folder, int(policy["merged_rows"]))
    except BadInput as gone:
        absent["merged"] = f"It could not be checked on development rows, and unchecked it is not written: {gone.what}"
        return {}
    found = {"merged": asdict(shipping.merge(folder / "merged"))}
    if found["merged"]["same"] < float(policy["merged_same"]):
        shutil.rmtree(folder / "merged")
        told = found["merged"]
        absent["merged"] = f"Not written: it gives the same answer on only {told['same']:.0%} of {told['rows']} rows."
        return {}
    if int8:
        say("Rounding to eight bits, and measuring what that costs")
        found["int8"] = asdict(shipping.round_to_int8(folder / "int8"))
    if gguf:
        say("Writing GGUF, and reading it back")
        try:
            found["gguf"] = asdict(shipping.write_gguf(folder / "gguf" / f"{opened.name}-q8_0.gguf", opened.name))
        except BadInput as cannot:
            shutil.rmtree(folder / "gguf")
            absent["gguf"] = f"{cannot.what} {cannot.fix}"
    return found
