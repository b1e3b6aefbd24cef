"""Examples from files of JSON lines: questions over documents, or pairs of input and answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput
from advisor.base.files import read_text, sha256_of_text
from advisor.base.jsonrows import NamedTwice, json_value
from advisor.base.safetext import one_of, plain
from advisor.base.tablefolder import row_files
from trainers.climb.metric import metric_for
from trainers.climb.policy import count
from trainers.climb.retrieval import read_folder
from trainers.climb.task import Item, Task, classification, split

INPUTS = ("input", "prompt", "question", "text", "instruction")
OUTPUTS = ("output", "completion", "answer", "response", "reference")
REPEATS, CHOICES = count("examples", "repeats"), count("examples", "most_choices")


def question_answering(questions: Path, documents: Path, metric: str = "") -> Task:
    """Questions with accepted answers (JSON lines: question, answer or answers, optional document) over a folder."""
    items = [_question(row, where) for row, where in _rows(questions)]
    if not documents.is_dir():
        raise BadInput(
            f"There is no folder {documents}.", where=str(documents), fix="--documents FOLDER", code="no-documents"
        )
    passages = read_folder(documents)
    if not passages:
        raise BadInput(
            f"{documents} holds no Markdown, text or HTML file.",
            where=str(documents),
            fix="Convert the documents to text or Markdown first.",
            code="no-documents",
        )
    known = {passage.document for passage in passages}
    absent = sorted({item.document for item in items if item.document} - known)
    if absent:
        raise BadInput(
            f"The questions name documents that are not in the folder: {one_of(absent, 3)}.",
            where=str(questions),
            fix="Write `document` as the file's path below --documents, or leave it out.",
            code="no-such-document",
        )
    return split("question_answering", metric_for("question_answering", [], metric), items, passages=tuple(passages))


def pairs(file: Path, metric: str = "") -> Task:
    """Inputs with right answers, as JSON lines of a file or folder: labels, objects to extract, or free text."""
    asked: list[str] = []
    answers: list[Any] = []
    for row, where in _rows(file):
        question, answer = _pair(row, where)
        asked.append(question)
        answers.append(answer)
    if not asked:
        raise BadInput(f"{file.name} holds no example.", where=str(file), code="no-examples", fix=_pair_fix())
    if all(isinstance(answer, dict) for answer in answers):
        return _extraction(asked, answers, metric)
    texts = [answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False) for answer in answers]
    if len(texts) >= REPEATS * len(set(texts)):
        return classification(asked, texts, metric=metric)
    if all(isinstance(answer, int | float) for answer in answers):
        raise BadInput(
            "The answers are numbers that hardly ever come back.",
            where=str(file),
            why="Words can be compared with words; a number is judged by how far off it is.",
            fix="Write them as a table and name the column: train-or-not look CASE --data FILE.csv --target COLUMN",
            code="numbers",
        )
    items = [Item(sha256_of_text(question), question, (right,)) for question, right in zip(asked, texts, strict=True)]
    return split("generation", metric_for("generation", [], metric), items)


def judged_rows(file: Path) -> Iterator[tuple[str, str, bool, str]]:
    """Question, answer, whether people call it right, and a right answer if one is told (JSON lines)."""
    for row, where in _rows(file):
        question, answer, right = row.get("question", row.get("input")), row.get("answer"), row.get("right")
        if not (isinstance(question, str) and isinstance(answer, str) and isinstance(right, bool)):
            raise BadInput(
                "This line is no verdict on an answer.",
                where=where,
                line=plain(json.dumps(row), 120),
                fix='Write it as {"question": "…", "answer": "…", "right": true}; "reference" may hold a right answer.',
                code="bad-verdict",
            )
        yield question, answer, right, str(row.get("reference", ""))


def _extraction(asked: list[str], answers: list[Any], metric: str) -> Task:
    names = sorted(set().union(*answers))
    partial = [row for row in answers if set(row) != set(names)]
    notes = [f"{len(partial):,} answers lack some fields; those count as null."] if partial else []
    items = []
    for question, answer in zip(asked, answers, strict=True):
        whole = {name: answer.get(name) for name in names}
        right = json.dumps(whole, ensure_ascii=False, sort_keys=True)
        items.append(Item(sha256_of_text(question), question, (right,)))
    fields = {name: _field_schema([answer.get(name) for answer in answers]) for name in names}
    return split("extraction", metric_for("extraction", [], metric), items, fields=fields, notes=notes)


def _field_schema(values: list[Any]) -> dict[str, Any]:
    """The JSON Schema of one field, from the values seen: its types, and the choices where there are few."""
    kinds = {_json_type(value) for value in values}
    if {"integer", "number"} <= kinds:
        kinds.discard("integer")
    schema: dict[str, Any] = {"type": sorted(kinds) if len(kinds) > 1 else kinds.pop()}
    texts = {value for value in values if isinstance(value, str)}
    if texts and len(texts) <= CHOICES and len(values) >= REPEATS * len(texts) and schema["type"] == "string":
        schema["enum"] = sorted(texts)
    return schema


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _rows(path: Path) -> Iterator[tuple[Mapping[str, Any], str]]:
    lines = ((file, *line) for file in row_files(path) for line in enumerate(read_text(file).split("\n"), start=1))
    for file, number, line in lines:
        if not line.strip():
            continue
        where = f"{file.name}:{number}"
        try:
            row = json_value(line)
        except NamedTwice as error:
            raise BadInput(
                f"This line cannot be read: {error}.",
                where=where,
                line=plain(line, 120),
                fix=error.fix,
                code=error.code,
            ) from error
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise BadInput(
                "This line is no JSON object.",
                where=where,
                line=plain(line, 120),
                fix="Write one object a line.",
                code="bad-line",
            )
        yield row, where


def _question(row: Mapping[str, Any], where: str) -> Item:
    question = row.get("question")
    accepted: Any = row["answers"] if "answers" in row else [row.get("answer")]
    fine = isinstance(accepted, list) and accepted and all(isinstance(right, str) and right for right in accepted)
    if not isinstance(question, str) or not question.strip() or not fine:
        raise BadInput(
            "This line is not a question with its answer.",
            where=where,
            line=plain(json.dumps(row), 120),
            fix='Write it as {"question": "…", "answer": "…"}; "answers" may hold several that are right.',
            code="bad-question",
        )
    return Item(sha256_of_text(question), question, tuple(accepted), str(row.get("document", "")))


def _pair(row: Mapping[str, Any], where: str) -> tuple[str, Any]:
    if isinstance(row.get("messages"), list):
        turns = [turn for turn in row["messages"] if isinstance(turn, dict) and turn.get("role") != "system"]
        if len(turns) == 2 and isinstance(turns[0].get("content"), str) and isinstance(turns[1].get("content"), str):
            return turns[0]["content"], turns[1]["content"]
    question = next((row[name] for name in INPUTS if isinstance(row.get(name), str) and row[name].strip()), None)
    answer = next((row[name] for name in OUTPUTS if row.get(name) not in (None, "")), None)
    if question is None or answer is None:
        raise BadInput(
            "This line is not an input with its answer.",
            where=where,
            line=plain(json.dumps(row), 120),
            fix=_pair_fix(),
            code="bad-pair",
        )
    return question, answer


def _pair_fix() -> str:
    return 'Write it as {"input": "…", "output": …}: a label, a text, or an object with the fields to extract.'
