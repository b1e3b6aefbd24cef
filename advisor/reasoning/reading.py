"""Reads the folder `rules/` into a checked rulebook: facts, ladder, sources, stages, rules in the order of the walk.

Every mistake is a `BadInput` with file:line:column, the line, the reason and the cure. What only holds for the rulebook
as a whole (nothing is unreachable, every answer set ends somewhere) is proven by `checks.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput
from advisor.base.files import read_text
from advisor.base.strictyaml import Document, parse
from advisor.reasoning.conditions import ConditionReader
from advisor.reasoning.content import NAME, NAME_FORM, Content
from advisor.reasoning.definitions import ANSWERS, RUNGS, VERDICTS, ApproachDefinition, Monotone, Place
from advisor.reasoning.fields import Fields
from advisor.reasoning.reading_facts import read_derived, read_facts, read_order
from advisor.reasoning.reading_rules import read_rules


def rule_files(folder: Path) -> list[Path]:
    """Every YAML file of the rulebook but its tests, in the order in which they are read."""
    found = [path for path in folder.rglob("*.yaml") if "tests" not in path.relative_to(folder).parts[:-1]]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def read_folder(folder: Path) -> Content:
    """The rulebook in `folder`. Raises `BadInput` at the first mistake."""
    if not (folder / "ladder.yaml").is_file():
        raise BadInput(
            f"There is no rulebook in {folder}.",
            where=str(folder / "ladder.yaml"),
            fix="Name a folder that holds ladder.yaml, facts/ and rules.",
            code="no-rulebook",
        )
    documents = {path: _document(path, folder) for path in rule_files(folder)}
    content = Content()
    for path, document in documents.items():
        if path.parent.name == "facts":
            read_facts(document, content)
    for part, read in (("asking", read_order), ("derived", read_derived)):
        for document in documents.values():
            if isinstance(document.data, dict) and part in document.data:
                read(document, content)
    for part, read in (("sources.yaml", _read_sources), ("ladder.yaml", _read_ladder)):
        if folder / part in documents:
            read(documents[folder / part], content)
    conditions = ConditionReader(content.facts, content.derived)
    if folder / "stages.yaml" in documents:
        _read_stages(documents[folder / "stages.yaml"], content, conditions)
    for document in documents.values():
        if isinstance(document.data, dict) and "rules" in document.data:
            read_rules(document, content, conditions)
    place_order = {name: index for index, name in enumerate(content.places)}
    content.rules.sort(key=lambda rule: place_order.get(rule.place, len(place_order)))
    content.atoms = conditions.atoms
    return content


def _document(path: Path, folder: Path) -> Document:
    return parse(read_text(path), f"{folder.name}/{path.relative_to(folder).as_posix()}")


def _read_sources(document: Document, content: Content) -> None:
    top = Fields(document, (), "sources.yaml")
    for kind, store in (("sources", content.sources), ("conflicts", content.conflicts)):
        node = top.take(kind) if kind in top.values or kind == "sources" else None
        entries = node.items() if isinstance(node, dict) else ((None, None),) * len(node or ())
        for index, (key, _) in enumerate(entries):
            fields = Fields(document, (kind, index if key is None else key), f"An entry of `{kind}`")
            name = key or fields.text("id")
            if name in store:
                raise fields.problem(f"{name!r} stands in `{kind}` twice.", "id", fix="Keep one of the two.")
            if kind == "sources" and not any(part in fields.values for part in ("date", "dated", "read", "year")):
                raise fields.problem(f"The source {name} has no date.", fix="Add `date:`, the day it was read.")
            store[name] = {field: value for field, value in fields.values.items() if field != "id"}


def _read_ladder(document: Document, content: Content) -> None:
    top = Fields(document, (), "ladder.yaml")
    content.version = top.text("version")
    content.undecided = top.text("undecided")
    for fields in top.many("approaches", "An approach", required=True):
        rung = fields.take("rung")
        if rung is not None and rung not in RUNGS:
            raise fields.unknown(str(rung), RUNGS, "`rung`", "rung")
        name = fields.identifier("name", NAME, NAME_FORM)
        content.approaches[name] = ApproachDefinition(
            name,
            fields.word("verdict", VERDICTS),
            rung,
            fields.text("title"),
            fields.text("headline"),
            fields.flag("trains"),
        )
        fields.done()
    for fields in top.many("places", "A place", required=True):
        name = fields.identifier("name", NAME, NAME_FORM)
        if name in content.places:
            raise fields.problem(f"The place {name!r} stands here twice.", "name", fix="Keep one of the two.")
        overlap = fields.word("overlap", ("never", "first_wins", "only_open"), required=False) or "never"
        content.places[name] = Place(name, fields.text("title"), overlap)
        fields.done()
    for name in top.mapping("answers", required=True) or {}:
        if name not in ANSWERS:
            raise top.unknown(name, ANSWERS, "`answers`", "answers", name, key=True)
        answers = Fields(document, ("answers",), "`answers`")
        content.answers[name] = {one.text("value"): one.text("title") for one in answers.many(name, "An answer")}
    for fields in top.many("monotone", "A monotonicity"):
        fact = fields.word("fact", [f.name for f in content.facts.values() if f.type in ("integer", "number")])
        fields.word("rising", ("never_into",))
        approaches = fields.words("approaches", content.approaches, required=True)
        content.monotone.append(Monotone(fact, approaches, fields.text("because"), fields.at))
        fields.done()
    top.done()


def _read_stages(document: Document, content: Content, conditions: ConditionReader) -> None:
    top = Fields(document, (), "stages.yaml")
    for fields in top.many("stages", "A stage", required=True):
        stage: dict[str, Any] = {name: fields.text(name) for name in ("stage", "title", "good", "done", "by")}
        stage["not_needed"] = fields.words("not_needed", content.approaches)
        stage["owed"] = _by_approach(fields, "owed", content, required=True)
        stage["left"] = _by_approach(fields, "left", content, required=False) or stage["owed"]
        fields.take("done_when")
        stage["done_when"] = conditions.read(fields, "done_when")
        fields.done()
        content.stages.append(stage)
    top.done()


def _by_approach(fields: Fields, name: str, content: Content, *, required: bool) -> dict[str, str] | None:
    """What a stage owes, by approach: a sentence each, and one for `otherwise`."""
    found = fields.mapping(name, required=required)
    for approach, text in (found or {}).items():
        if approach != "otherwise" and approach not in content.approaches:
            raise fields.unknown(approach, (*content.approaches, "otherwise"), f"`{name}`", name, approach, key=True)
        if not isinstance(text, str):
            raise fields.problem(f"`{name}` says what is owed, in words.", name, approach, fix="Write a sentence.")
    if found is not None and "otherwise" not in found:
        raise fields.problem(f"`{name}` has no `otherwise`.", name, fix="Add `otherwise:` for every other approach.")
    return found
