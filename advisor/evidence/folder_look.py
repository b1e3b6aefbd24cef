"""A look at a folder: how much there is to read or to see, what repeats, and what is personal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import __version__
from advisor.base.case import today
from advisor.base.imagefolder import CLASS, IMAGE, Images, left_out
from advisor.base.safetext import plain
from advisor.evidence.catalogue import load_catalogue
from advisor.evidence.checks import CHECKS
from advisor.evidence.checks.rows import percent, straddling
from advisor.evidence.conversations import tokens_of
from advisor.evidence.folders import Documents, read_folder
from advisor.evidence.look import set_aside
from advisor.evidence.machine import graphics_gb
from advisor.evidence.preparing import prepare
from advisor.evidence.splits import propose
from advisor.records.facts import Fact
from advisor.records.look import Column, Look, Pitfall, SplitProposal

if TYPE_CHECKING:
    from advisor.evidence.look import Progress
    from advisor.records.facts import Origin, Value

_FOR_DOCUMENTS = ("P201", "P202", "P601", "P603")
_FOR_IMAGES = ("P301", "P302", "P701")


def look_at_folder(folder: Path, told: Progress, ignored: Mapping[str, str]) -> Look:
    """Documents or images, whichever the folder holds more of."""
    found = read_folder(folder, told)
    return _documents(folder, found, ignored) if isinstance(found, Documents) else _images(folder, found, ignored)


def _documents(folder: Path, found: Documents, ignored: Mapping[str, str]) -> Look:
    import pandas as pd

    texts = list(found.texts.values())
    sheet = prepare(pd.DataFrame({"text": texts}), "", load_catalogue())
    pitfalls = {code: set_aside(CHECKS[code](sheet), ignored) for code in _FOR_DOCUMENTS}
    tokens = sum(map(tokens_of, texts))
    words = round(float(pd.Series(texts).str.count(r"\S+").median()))
    facts = _facts(
        ("modality", "text", f"{folder.name} holds {len(texts):,} documents"),
        ("n_rows", len(texts), f"{len(texts):,} documents in {folder.name}"),
        ("knowledge_tokens", tokens, f"{sum(map(len, texts)):,} characters in all the documents, 4 a token"),
        ("median_words", words, f"half of the documents have at most {words:,} words"),
    )
    columns = tuple(Column(c.name, "text", c.missing, c.distinct) for c in sheet.columns)
    return _look(folder, found.sha256, "documents", (len(texts), 1), columns, facts, pitfalls, notes=found.notes)


def _images(folder: Path, found: Images, ignored: Mapping[str, str]) -> Look:
    import pandas as pd

    catalogue = load_catalogue()
    classes = {label for label in found.classes.values() if label}
    target = CLASS if len(classes) > 1 else ""
    names = list(found.classes)
    labels = [found.classes[name] or None for name in names]
    sheet = prepare(pd.DataFrame({IMAGE: names, CLASS: labels}), target, catalogue)
    pitfalls = {"P201": _repeated_images(found), "P203": _contradicting_images(found)}
    pitfalls |= {code: CHECKS[code](sheet) for code in _FOR_IMAGES}
    pitfalls = {code: set_aside(finding, ignored) for code, finding in pitfalls.items()}
    told: list[tuple[str, Value, str]] = [
        ("modality", "image", f"{folder.name} holds {len(names):,} images"),
        ("n_rows", len(names), f"{len(names):,} images in {folder.name}"),
        ("n_labeled", sheet.labelled if target else 0, "images in a subfolder that names their class"),
    ]
    if target:
        label, rows = list(sheet.classes.items())[-1]
        told += [
            ("n_classes", len(sheet.classes), f"{len(sheet.classes):,} subfolders hold images"),
            ("min_per_class", rows, f"the subfolder {plain(label, 40)} holds {rows:,} images"),
            (
                "minority_share",
                round(rows / sheet.labelled, 4),
                f"{plain(label, 40)} against {sheet.labelled:,} in all",
            ),
        ]
    facts = _facts(*told)
    if target:
        facts += (Fact("task_type", "classify", "default", "subfolders name a class for each image", today()),)
    shape = (len(names), 1)
    columns = (Column(IMAGE, "text", 0, len(names)), Column(CLASS, "category", labels.count(None), len(classes)))
    look = _look(folder, found.sha256, "images", shape, columns, facts, pitfalls, notes=left_out(found.broken))
    return replace(look, target=target, task=sheet.task, split=propose(sheet, pitfalls))


def _repeated_images(found: Images) -> Pitfall:
    import numpy as np

    entry = load_catalogue().entries["P201"]
    repeats = len(found.hashes) - len(set(found.hashes.values()))
    share = repeats / max(len(found.hashes), 1)
    seen = {"rows": repeats, "share": percent(share)}
    if not repeats or share < entry.thresholds["tip"]:
        return entry.passed((), **seen)
    if repeats < entry.thresholds["fewest_repeats"]:
        return entry.tip((), **seen)
    severity = "severe" if share >= entry.thresholds["severe"] else "moderate"
    straddle = percent(straddling(np.array(list(found.hashes.values()))))
    return entry.issue((), severity=severity, straddle=straddle, **seen)


def _contradicting_images(found: Images) -> Pitfall:
    entry = load_catalogue().entries["P203"]
    labels: dict[str, Counter[str]] = {}
    for name, digest in found.hashes.items():
        labels.setdefault(digest, Counter())[found.classes[name]] += 1
    rows = sum(sum(counts.values()) for counts in labels.values() if len(counts) > 1)
    if not rows:
        return entry.passed((), target="class")
    share = percent(rows / len(found.hashes))
    return entry.issue((), rows=rows, share=share, target=CLASS, limit="")


def _facts(*told: tuple[str, Value, str]) -> tuple[Fact, ...]:
    memory, how = graphics_gb()
    origin: Origin = "observed" if memory else "default"
    facts = tuple(Fact(name, value, "observed", evidence, today()) for name, value, evidence in told)
    return (*facts, Fact("gpu_gb", memory, origin, how, today()))


def _look(
    folder: Path,
    sha256: str,
    kind: str,
    shape: tuple[int, int],
    columns: tuple[Column, ...],
    facts: tuple[Fact, ...],
    pitfalls: dict[str, Pitfall],
    *,
    notes: tuple[str, ...],
) -> Look:
    return Look(
        path=str(folder),
        sha256=sha256,
        format=kind,
        shape=shape,
        target="",
        columns=columns,
        facts=facts,
        pitfalls=tuple(pitfalls.values()),
        split=SplitProposal("random", "", 0.2, "Keep copies and versions of one document in one part."),
        tool_version=__version__,
        notes=notes,
    )
