"""Files of pairs and of questions: labels, objects and free text are told apart, and bad lines are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor.base.errors import BadInput
from tests.climb.doors import SayingDoor, asker_for
from trainers.climb.examples import pairs, question_answering
from trainers.climb.measure import measure
from trainers.climb.rungs import FewShot, ZeroShot
from trainers.climb.scoring import rouge_l


def written(tmp_path: Path, rows: list[object]) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def orders(tmp_path: Path) -> Path:
    rows = [
        {"input": f"{at} boxes for {name}", "output": {"count": at, "who": name, "urgent": at % 2 == 0}}
        for at in range(100)
        for name in ("Ann", "Bob")
    ]
    return written(tmp_path, list(rows))


def test_objects_are_extracted_field_by_field_and_unreadable_answers_are_wrong(tmp_path: Path) -> None:
    task = pairs(orders(tmp_path))
    assert task.kind == "extraction"
    assert task.fields["who"] == {"type": "string", "enum": ["Ann", "Bob"]}
    assert task.fields["count"] == {"type": "integer"}
    item = task.development[0]
    right = json.loads(item.accepted[0])
    assert task.score(item, task.read(f"Sure! ```json\n{json.dumps(right)}\n```")) == 1.0
    assert task.read("no idea") is None and task.read('{"count": 1}') is None
    assert task.score(item, task.read(json.dumps({**right, "who": "Eve"}))) == 0.0
    by_field = pairs(orders(tmp_path), "fields")
    assert by_field.score(item, by_field.read(json.dumps({**right, "who": "Eve"}))) == pytest.approx(2 / 3)


def test_a_folder_of_lines_is_one_set_of_examples_and_a_bad_line_is_named_by_file(tmp_path: Path) -> None:
    whole = pairs(orders(tmp_path))
    lines = (tmp_path / "pairs.jsonl").read_text().split("\n")
    folder = tmp_path / "months"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join(lines[:90]))
    (folder / "b.jsonl").write_text("\n".join(lines[90:]))
    assert pairs(folder) == whole
    (folder / "b.jsonl").write_text(lines[0] + "\n[1]")
    with pytest.raises(BadInput) as refused:
        pairs(folder)
    assert refused.value.where == "b.jsonl:2"


def test_an_answer_that_cannot_be_read_is_asked_for_once_more(tmp_path: Path) -> None:
    task = pairs(orders(tmp_path))

    def careless(messages: list[dict[str, str]]) -> str:
        if "cannot be read" not in messages[-1]["content"]:
            return "I think it is Ann."
        count, _, _, who = messages[-3]["content"].split("\n")[1].split(" ")
        return json.dumps({"count": int(count), "who": who, "urgent": int(count) % 2 == 0})

    rung = FewShot(asker_for(SayingDoor(careless), tmp_path))  # type: ignore[arg-type]  # plain dictionaries will do
    rung.prepare(task)
    assert measure(rung, task, None).interval()[0] == 1.0


def test_labels_and_free_text_are_told_apart(tmp_path: Path) -> None:
    labels = pairs(written(tmp_path, [{"prompt": f"text {at}", "completion": "ab"[at % 2]} for at in range(100)]))
    assert labels.kind == "classification" and labels.labels == ("a", "b")
    texts = pairs(written(tmp_path, [{"messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": f"greet {at}"},
        {"role": "assistant", "content": f"hello dear {at} how are you"},
    ]} for at in range(100)]))  # fmt: skip
    assert texts.kind == "generation" and texts.metric.name == "rouge_l"
    rung = ZeroShot(asker_for(SayingDoor(lambda messages: "hello dear friend how are you"), tmp_path))
    rung.prepare(texts)
    value, low, high, _ = measure(rung, texts, None).interval()
    assert value == pytest.approx(5 / 6) and low < value < high


def test_the_longest_common_run_of_words_is_lins_measure() -> None:
    assert rouge_l("police kill the gunman", ["police killed the gunman"]) == pytest.approx(2 * 2 / 6)
    assert rouge_l("", ["x"]) == 0.0
    assert rouge_l("a b c d", ["d c b a", "a x c d"]) > rouge_l("a b c d", ["d c b a"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "no JSON object"),
        ('{"input": "x"}', "not an input with its answer"),
        ("[1]", "no JSON object"),
        ('{"input": "x", "label": "a", "label": "b"}', "'label' stands twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"input": "x", "output": "y"}\n' + line)
    with pytest.raises(BadInput, match=said) as caught:
        pairs(path)
    assert caught.value.where == "pairs.jsonl:2"


def test_questions_that_name_no_document_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.md").write_text("# A\n\ntext")
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"question": "?", "answer": "x", "document": "b.md"}))
    with pytest.raises(BadInput, match=r"not in the folder: b\.md"):
        question_answering(path, tmp_path / "documents")


def test_numbers_are_sent_to_the_table_they_belong_in(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="answers are numbers"):
        pairs(written(tmp_path, [{"input": f"house {at}", "output": at * 1.5} for at in range(100)]))


def test_labels_that_are_numbers_are_named_as_a_hindrance() -> None:
    from trainers.climb.task import classification

    task = classification([f"text {at}" for at in range(100)], [str(at % 3) for at in range(100)])
    assert any("name them in words" in note for note in task.notes)
