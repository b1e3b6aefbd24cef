"""Examples are checked whole before anything loads: each fault with its row and its cure, every shape understood."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.base.errors import BadInput
from advisor.base.tablefolder import sha256_of_rows
from advisor.base.tables import read_table
from tests.lora.test_trainer import plan_for
from trainers.lora.corpus import read_corpus
from trainers.lora.examples import Message, question_of
from trainers.lora.planning import answer_column, corpus_of
from trainers.lora.presets import instruction_beside
from trainers.lora.recipe import Recipe
from trainers.lora.rowfiles import first_shape


def chat(*turns: tuple[str, str], **more: object) -> str:
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in turns], **more})


GOOD = [chat(("user", f"question {n}"), ("assistant", f"answer {n}")) for n in range(12)]


def with_row(bad: str, at: int = 4) -> str:
    return "\n".join([*GOOD[: at - 1], bad, *GOOD[at - 1 :]]) + "\n"


# What stands in row 4 (or the whole file), the stable code, words of the sentence, words of the cure.
BROKEN_ROWS = {
    "half a line": ('{"messages": [', "bad-json", "not JSON", "one JSON object a line"),
    "a key twice": (
        '{"prompt": "a", "completion": "b", "prompt": "c"}',
        "duplicate-columns",
        "'prompt' stands twice",
        "one",
    ),
    "a list": ("[1, 2]", "data-type", "not a JSON object", "messages"),
    "no messages": ('{"text": "hello"}', "no-shape", "no shape of examples", "--target COLUMN"),
    "messages is text": ('{"messages": "hello"}', "missing-messages", "not a list", "a list"),
    "messages is empty": ('{"messages": []}', "missing-messages", "at least one message", "a list"),
    "a message is text": ('{"messages": ["hello"]}', "not-an-object", "message 1 is not an object", '"role"'),
    "no role": ('{"messages": [{"content": "a"}]}', "no-role", "message 1 has no 'role'", "Add 'role'"),
    "no content": ('{"messages": [{"role": "user"}]}', "no-content", "message 1 has no 'content'", "Add 'content'"),
    "unknown role": (chat(("robot", "a"), ("assistant", "b")), "unknown-role", "'robot'", "system, user, assistant"),
    "unknown key": (
        '{"messages": [{"role": "user", "content": "a", "mood": 1}, {"role": "assistant", "content": "b"}]}',
        "unknown-key",
        "'mood'",
        "Take the key out",
    ),
    "content is null": ('{"messages": [{"role": "user", "content": null}]}', "not-text", "is null", "one text"),
    "content is a list": ('{"messages": [{"role": "user", "content": []}]}', "not-text", "is a list", "one text"),
    "empty answer": (chat(("user", "a"), ("assistant", "  ")), "empty-answer", "answer is empty", "Fill it in"),
    "empty question": (chat(("user", ""), ("assistant", "b")), "empty-prompt", "message 1 is empty", "Fill it in"),
    "no answer": (chat(("user", "a")), "no-answer", "not the assistant's", "End the row with the answer"),
    "system last": (
        chat(("user", "a"), ("system", "s"), ("assistant", "b")),
        "system-not-first",
        "message 2 is a system message",
        "first",
    ),
    "two questions": (
        chat(("user", "a"), ("user", "b"), ("assistant", "c")),
        "roles-out-of-order",
        "turn 2 is 'user'",
        "take turns",
    ),
    "answer first": (chat(("assistant", "a")), "roles-out-of-order", "turn 1 is 'assistant'", "the user first"),
    "a tool call": (
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "tool_calls": []}]}',
        "tool-call",
        "'tool_calls'",
        "as text",
    ),
    "weight 0": (
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}',
        "nothing-to-learn",
        "weight 0",
        "weight 1",
    ),
    "weight 7": (
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 7}]}',
        "bad-weight",
        "weight 7",
        "0 or 1",
    ),
    "NUL": (chat(("user", "a\0b"), ("assistant", "b")), "nul", "NUL", "UTF-8"),
    "another shape": ('{"prompt": "a", "completion": "b"}', "mixed-shapes", "the rows before", "one shape"),
}
BROKEN_FILES = {
    "empty": ("", "empty", "holds no example", "JSONL"),
    "nine rows": ("\n".join(GOOD[:9]), "too-few", "9 examples", "few-shot"),
    "one row ten times": ("\n".join(GOOD[:1] * 12), "too-few-different", "1 different question", "10 different"),
    "one answer": (
        "\n".join(chat(("user", f"q {n}"), ("assistant", "yes")) for n in range(12)),
        "one-answer",
        "same answer",
        "default",
    ),
    "broken list": ('[{"messages": []', "bad-json", "not whole JSON", "JSONL"),
    "not UTF-8": (b"\xff\xfe\x00{", "not-utf8", "not UTF-8", "iconv"),
}


@pytest.mark.parametrize("name", BROKEN_ROWS)
def test_a_broken_row_is_one_sentence_with_its_number_and_cure(name: str, tmp_path: Path) -> None:
    row, code, words, cure = BROKEN_ROWS[name]
    file = tmp_path / "rows.jsonl"
    file.write_text(with_row(row))
    with pytest.raises(BadInput) as refused:
        read_corpus(file)
    problem = refused.value
    assert problem.code == code
    assert problem.what.startswith("Row 4 ")
    assert words in problem.what
    assert cure in problem.fix
    assert problem.where == f"{file}:4"
    assert problem.exit_code == 2


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_broken_file_is_one_sentence_with_its_cure(name: str, tmp_path: Path) -> None:
    content, code, words, cure = BROKEN_FILES[name]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as refused:
        read_corpus(file)
    assert (refused.value.code, words in refused.value.what, cure in refused.value.fix) == (code, True, True)


def test_all_faults_are_listed_and_the_first_is_told(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(with_row("{") + "[]\n" + chat(("user", "a")) + "\n")
    with pytest.raises(BadInput, match=r"Row 4 .* 2 more rows have faults") as refused:
        read_corpus(file)
    assert [fault["row"] for fault in refused.value.details["faults"]] == [4, 14, 15]  # type: ignore[index, union-attr, attr-defined]  # plain JSON


def test_checking_examples_loads_no_model_library(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(with_row("{"))
    program = (
        "import sys; from pathlib import Path; from trainers.lora.corpus import read_corpus\n"
        "try: read_corpus(Path(sys.argv[1]))\n"
        "except Exception as e: print(e)\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    assert "Row 4 cannot be learned from" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


SHAPES = {
    "messages": '{"messages": [{"role": "user", "content": "q N"}, {"role": "assistant", "content": "a N"}]}',
    "prompt": '{"prompt": "q N", "completion": "a N"}',
    "prompt of messages": '{"prompt": [{"role": "user", "content": "q N"}], '
    '"completion": [{"role": "assistant", "content": "a N"}]}',
    "alpaca": '{"instruction": "q N", "input": "", "output": "a N"}',
    "sharegpt": '{"conversations": [{"from": "human", "value": "q N"}, {"from": "gpt", "value": "a N"}]}',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_reads_as_the_same_conversation(shape: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(SHAPES[shape].replace("N", str(n)) for n in range(12)))
    example = read_corpus(file).examples[3]
    assert example.messages == (Message("user", "q 3"), Message("assistant", "a 3"))


def test_columns_of_a_csv_are_question_and_answer(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("ticket,channel,answer\n" + "\n".join(f"q {n},mail,a {n}" for n in range(12)))
    one = read_corpus(file, target="answer", drop=("channel",)).examples[2]
    assert one.messages == (Message("user", "q 2"), Message("assistant", "a 2"))
    both = read_corpus(file, target="answer", instruction="Be brief.").examples[2]
    assert both.messages[0] == Message("system", "Be brief.")
    assert both.asked == "ticket: q 2\nchannel: mail"
    with pytest.raises(BadInput, match="no 'anser'") as refused:
        read_corpus(file, target="anser")
    assert "answer" in refused.value.fix


def test_an_alpaca_input_follows_its_instruction(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    rows = [{"instruction": "Translate.", "input": f"word {n}", "output": f"mot {n}"} for n in range(12)]
    file.write_text(json.dumps(rows))
    assert read_corpus(file).examples[0].asked == "Translate.\n\nword 0"


def test_repeats_and_contradictions_are_told_and_kept_together(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join([*GOOD, chat(("user", "Question  3"), ("assistant", "another"))]))
    corpus = read_corpus(file)
    assert corpus.groups[3] == corpus.groups[12]
    assert any("repeats the question of another (rows 4 and 13" in note for note in corpus.notes)
    assert any("two different answers (rows 4 and 13" in note for note in corpus.notes)


@pytest.mark.parametrize(("count", "words"), [(12, "below the 50"), (60, "50 to 100"), (120, "")])
def test_how_many_examples_there_are_is_judged_by_the_sources(count: int, words: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(chat(("user", f"q {n}"), ("assistant", f"a {n}")) for n in range(count)))
    notes = read_corpus(file).notes
    assert any(words in note for note in notes) if words else notes == ()


HALF = '{"messages": [{"role": "user", "content": "a \\ud83d"}, {"role": "assistant", "content": "b"}]}'


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_half_a_character_is_a_fault_of_its_row(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    rows = [*GOOD[:3], HALF, *GOOD[3:]]
    file.write_text("\n".join(rows) if name == "rows.jsonl" else f"[{','.join(rows)}]")
    with pytest.raises(BadInput, match=r"Row 4 cannot be learned from: .*half a character") as refused:
        read_corpus(file)
    assert refused.value.code == "half-a-character"
    with pytest.raises(BadInput, match="half a character"):
        read_table(file)


def test_a_whole_character_written_as_two_halves_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join([*GOOD, HALF.replace("ud83d", "ud83d\\ude00")]))
    assert read_corpus(file).examples[-1].asked == "a 😀"


def test_conversations_in_a_parquet_file_read_as_they_do_in_jsonl(tmp_path: Path) -> None:
    import pandas as pd

    (tmp_path / "rows.jsonl").write_text("\n".join(GOOD))
    pd.DataFrame([json.loads(line) for line in GOOD]).to_parquet(tmp_path / "rows.parquet")
    assert read_corpus(tmp_path / "rows.parquet").examples == read_corpus(tmp_path / "rows.jsonl").examples


@pytest.mark.parametrize("target", ["output", "completion", "chosen"])
def test_a_column_named_as_a_shape_names_its_answers_is_a_column(target: str, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text(f"input,{target}\n" + "\n".join(f"q {n},a {n}" for n in range(12)))
    plan = dataclasses.replace(plan_for(tmp_path), target=target)
    corpus = corpus_of(plan, tmp_path, Recipe())
    assert corpus.examples[2].messages == (Message("user", "q 2"), Message("assistant", "a 2"))
    asked = question_of({"input": "q 2", target: "a 2"}, 1, target=answer_column(plan, corpus))
    assert asked.question == (Message("user", "q 2"),)


def test_such_a_name_still_means_the_shape_where_its_other_keys_stand(tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text("instruction,input,output\n" + "\n".join(f"Translate.,q {n},a {n}" for n in range(12)))
    plan = dataclasses.replace(plan_for(tmp_path), target="output")
    corpus = corpus_of(plan, tmp_path, Recipe())
    assert (corpus.shape, answer_column(plan, corpus)) == ("alpaca", "")


def test_a_folder_is_read_as_one_and_each_fault_names_its_file_and_row(tmp_path: Path) -> None:
    folder = tmp_path / "months"
    folder.mkdir()
    (folder / "april.jsonl").write_text("\n".join(GOOD[:7]) + "\n")
    (folder / "may.jsonl").write_text("\n".join([*GOOD[7:], GOOD[2], chat(("user", "question 2"), ("assistant", "x"))]))
    (folder / "instruction.txt").write_text("Be brief.")
    corpus = read_corpus(folder)
    assert [(one.row, one.file, one.line) for one in corpus.examples[6:8]] == [
        (7, "april.jsonl", 7),
        (8, "may.jsonl", 1),
    ]
    assert any("(rows 3 of april.jsonl and 6 of may.jsonl for one)" in note for note in corpus.notes)
    assert instruction_beside(folder)["instruction"].value == "Be brief."
    assert first_shape(folder, "") == "messages"
    (folder / "may.jsonl").write_text(with_row("[1]") + chat(("user", "a")))
    with pytest.raises(BadInput, match=r"Row 4 of may\.jsonl cannot be learned from.* 1 more row has") as refused:
        read_corpus(folder)
    assert refused.value.where == f"{folder / 'may.jsonl'}:4"
    faults = refused.value.details["faults"]
    assert [(fault["file"], fault["row"]) for fault in faults] == [("may.jsonl", 4), ("may.jsonl", 14)]  # type: ignore[index, union-attr, attr-defined]  # plain JSON


def test_a_plan_on_a_folder_is_for_the_files_that_were_there(tmp_path: Path) -> None:
    months = tmp_path / "months"
    months.mkdir()
    for name, rows in (("april.jsonl", GOOD[:6]), ("may.jsonl", GOOD[6:])):
        (months / name).write_text("\n".join(rows))
    (tmp_path / "tickets.csv").write_text("unused")
    plan = dataclasses.replace(plan_for(tmp_path), data="months", data_sha256=sha256_of_rows(months), target="")
    assert len(corpus_of(plan, tmp_path, Recipe()).examples) == 12
    (months / "june.jsonl").write_text(GOOD[0])
    with pytest.raises(BadInput, match="months has changed since the plan was made"):
        corpus_of(plan, tmp_path, Recipe())


def csv_of(folder: Path, head: str, *more: str) -> Path:
    file = folder / "rows.csv"
    shape = "do {n},,done {n}" if head.count(",") == 2 else "question {n},answer {n}"
    file.write_text("\n".join([head, *(shape.format(n=n) for n in range(12)), *more]) + "\n")
    return file


def test_an_empty_answer_in_a_table_is_a_fault_and_not_the_word_nan(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match="Row 13 cannot be learned from: 'completion' of the row is null or an empty cell"
    ) as caught:
        read_corpus(csv_of(tmp_path, "prompt,completion", "question,"))
    assert caught.value.code == "empty-answer"


def test_an_instruction_in_a_table_may_have_no_input(tmp_path: Path) -> None:
    found = read_corpus(csv_of(tmp_path, "instruction,input,output", "sum up,this text,short"))
    assert [message.content for message in found.examples[0].messages] == ["do 0", "done 0"]
    assert found.examples[12].messages[0].content == "sum up\n\nthis text"
    row = {"instruction": "do 1", "input": float("nan"), "output": float("nan")}
    assert [one.content for one in question_of(row, 1).question] == ["do 1"]


def test_conversations_may_name_their_turns_as_others_do_and_a_system_text_may_be_null(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    turns = [[{"role": "user", "content": f"q {n}"}, {"role": "assistant", "content": f"a {n}"}] for n in range(12)]
    file.write_text("\n".join(json.dumps({"conversations": one, "system": None}) for one in turns))
    assert read_corpus(file).examples[3].messages == (Message("user", "q 3"), Message("assistant", "a 3"))
    assert question_of({"conversations": turns[0][:1]}, 1).question == (Message("user", "q 0"),)


def test_a_weight_in_quotes_is_told_as_a_text_and_utf_16_by_its_name(tmp_path: Path) -> None:
    quoted = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": "1"}]}'
    file = tmp_path / "rows.jsonl"
    file.write_text(with_row(quoted))
    with pytest.raises(BadInput, match="has the weight '1'"):
        read_corpus(file)
    file.write_bytes("\n".join(GOOD).encode("utf-16"))
    with pytest.raises(BadInput) as caught:
        read_corpus(file)
    assert "iconv -f UTF-16 -t UTF-8" in caught.value.fix
