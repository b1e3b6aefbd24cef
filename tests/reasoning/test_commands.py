"""`decide`, `explain` and `rules` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import train_or_not

TABLE = ["--set", "task_type=classify", "--set", "modality=tabular", "--set", "n_labeled=5000"]


def test_facts_on_the_command_line_give_a_verdict_its_reason_and_the_next_step(tmp_path: Path) -> None:
    said = train_or_not("decide", *TABLE, folder=tmp_path)
    assert said.code == 0
    assert said.out.startswith("Train? yes so far, not settled   Approach: classical")
    assert "Because " in said.out
    assert "=> scratch" in said.out
    assert "Not settled" in said.out
    assert said.err.startswith("Next: add --set ")


def test_json_holds_the_whole_decision_and_nothing_else_is_on_stdout(tmp_path: Path) -> None:
    said = train_or_not("decide", *TABLE, "--json", "--as-of", "2026-11-21", folder=tmp_path)
    decision = said.json
    wanted = (
        "verdict approach also_possible rung hosting trainer metric ladder stops cautions flips unknown next_question "
        "plan cost rulebook settled headline beside facts as_of model_family"
    )
    assert set(wanted.split()) <= decision.keys()
    assert [step["rung"] for step in decision["ladder"]] == ["api", "prompt", "rag", "fine_tune", "scratch"]
    assert len(decision["plan"]) == 7
    assert decision["as_of"] == decision["cost"]["as_of"] == "2026-11-21"
    assert len(decision["rulebook"]["hash"]) == 64


def test_nothing_given_is_not_an_error_and_decides_nothing(tmp_path: Path) -> None:
    said = train_or_not("decide", "--json", folder=tmp_path)
    assert said.code == 0
    assert said.json["approach"] is None
    assert said.json["verdict"] is None
    assert said.json["settled"] is False


@pytest.mark.parametrize("name", ["facts.yaml", "facts.json"])
def test_a_file_of_facts_may_be_yaml_or_json_and_options_overrule_it(name: str, tmp_path: Path) -> None:
    facts = {"task_type": "classify", "modality": "tabular", "n_labeled": 0, "success_metric_defined": None}
    text = json.dumps(facts) if name.endswith("json") else "\n".join(f"{k}: {json.dumps(v)}" for k, v in facts.items())
    (tmp_path / name).write_text(text, encoding="utf-8")
    said = train_or_not("decide", "--facts", name, "--json", folder=tmp_path)
    assert said.json["approach"] == "get_labels"
    assert "success_metric_defined" in said.json["facts"]
    said = train_or_not("decide", "--facts", name, "--set", "n_labeled=5,000", "--json", folder=tmp_path)
    assert said.json["approach"] == "classical"
    assert said.json["facts"]["n_labeled"] == 5000


def test_dont_know_is_kept_apart_from_not_asked(tmp_path: Path) -> None:
    said = train_or_not("decide", "--set", "task_type=?", "--json", folder=tmp_path)
    assert said.json["facts"] == {"task_type": None}
    assert said.json["next_question"] != "task_type"
    assert "task_type" in said.json["unknown"]


def test_a_batch_gives_one_decision_a_line_keeps_ids_and_loses_no_line_to_a_bad_one(tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "task_type": "classify", "modality": "tabular", "n_labeled": 5000}',
        '{"id": "b", "n_labelled": 3}',
        "not json",
        "",
        '{"id": "c", "rules_can_solve": "yes"}',
        '{"n_labeled": 1, "n_labeled": 2}',
        '{"id": "d", "n_labeled": NaN}',
    ]
    (tmp_path / "many.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said = train_or_not("decide", "--batch", "many.jsonl", folder=tmp_path)
    out = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 2
    assert [line.get("id") for line in out] == ["a", "b", None, "c", None, None]
    assert [line.get("approach") for line in out] == ["classical", None, None, "no_ml", None, None]
    assert [line["error"]["line"] for line in out if "error" in line] == [2, 3, 6, 7]
    assert "many.jsonl:2" in said.err
    assert "Did you mean 'n_labeled'?" in said.err


@pytest.mark.parametrize(
    ("words", "what", "cure"),
    [
        (["--set", "n_labelled=3"], "n_labelled", "Did you mean 'n_labeled'"),
        (["--set", "task_type=clasify"], "clasify", "Did you mean 'classify'"),
        (["--set", "api_score=90"], "0 to 1", "0 to 1"),
        (["--set", "n_labeled=-1"], "0 examples or more", "0 examples or more"),
        (["--set", "n_labeled=some"], "a number", "0 examples or more"),
        (["--set", "n_labeled=1e400"], "finite", "0 examples"),
        (["--set", "n_labeled=1.5"], "whole number", "Round"),
        (["--set", "needs_private_facts=perhaps"], "true or false", "needs_private_facts=true"),
        (["--set", "n_labeled"], "not fact=value", "--set n_labeled=VALUE"),
        (["--set", "ready_model_meets_target=true"], "follows from two", "api_score and accuracy_target"),
        (["--facts", "absent.yaml"], "no file", "Check the name"),
        (["--as-of", "yesterday"], "not a date", "--as-of 2026-11-21"),
        (["--batch", "x.jsonl", "--set", "n_labeled=1"], "alone", "file"),
    ],
)
def test_a_bad_word_is_told_with_its_cure_and_exit_code_two(
    words: list[str], what: str, cure: str, tmp_path: Path
) -> None:
    said = train_or_not("decide", *words, folder=tmp_path)
    assert said.code == 2
    assert said.out == ""
    assert what in said.err
    assert cure in said.err


def test_a_broken_facts_file_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text("task_type: classify\nn_labelled: 3\n", encoding="utf-8")
    said = train_or_not("decide", "--facts", "facts.yaml", folder=tmp_path)
    assert said.code == 2
    assert "--> facts.yaml:2:1" in said.err
    (tmp_path / "facts.json").write_text('{"task_type": "classify",\n "n_labeled": }', encoding="utf-8")
    said = train_or_not("decide", "--facts", "facts.json", folder=tmp_path)
    assert "--> facts.json:2:15" in said.err


def test_explain_says_how_why_not_what_would_change_it_and_how_firm_it_is(tmp_path: Path) -> None:
    said = train_or_not("explain", *TABLE, folder=tmp_path)
    for head in ("How\n", "Why not another rung", "What would change it", "How firm it is"):
        assert head in said.out
    assert "If n_labeled were" in said.out
    said = train_or_not("explain", *TABLE, "fine_tune", folder=tmp_path)
    assert "fine_tune: " in said.out
    said = train_or_not("explain", *TABLE, "--what-if", "n_labeled=0", folder=tmp_path)
    assert said.out.startswith("If n_labeled = 0: classical becomes get_labels.")


def test_a_locked_fact_is_never_proposed_to_change(tmp_path: Path) -> None:
    free = train_or_not("explain", *TABLE, "--json", folder=tmp_path).json
    assert any("n_labeled" in flip["change"] for flip in free["flips"])
    locked = train_or_not("explain", *TABLE, "--lock", "n_labeled", "--json", folder=tmp_path).json
    assert not any("n_labeled" in flip["change"] for flip in locked["flips"])


def test_explain_reads_a_rule_a_fact_and_a_pitfall_aloud(tmp_path: Path) -> None:
    rule = train_or_not("explain", "R10", folder=tmp_path)
    for head in ("What it does", "Why", "When", "Who says so", "Example"):
        assert head in rule.out
    assert train_or_not("explain", "n_labeled", folder=tmp_path).out.startswith("n_labeled\n\nQuestion: ")
    assert train_or_not("explain", "P101", folder=tmp_path).out.startswith("P101 ")
    wrong = train_or_not("explain", "finetune", folder=tmp_path)
    assert wrong.code == 2
    assert "Did you mean 'fine_tune'?" in wrong.err


def test_the_rulebook_is_proven_tested_drawn_and_described_from_the_command(tmp_path: Path) -> None:
    proven = train_or_not("rules", "check", folder=tmp_path)
    assert proven.code == 0
    assert "Proven: every complete answer set ends in exactly one approach" in proven.out
    assert train_or_not("rules", "check", "--json", folder=tmp_path).json["proven"] is True
    shown = train_or_not("rules", "show", "R10", "--json", folder=tmp_path).json
    assert shown["id"] == "R10"
    assert train_or_not("rules", "graph", folder=tmp_path).out.startswith("flowchart TD\n")
    assert train_or_not("rules", "graph", "--svg", "walk.svg", folder=tmp_path).code == 0
    drawn = (tmp_path / "walk.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg ")
    assert "<script" not in drawn
    schema = train_or_not("rules", "schema", folder=tmp_path).json
    assert "n_labeled" in schema["$defs"]["facts"]["properties"]
    unknown = train_or_not("rules", "show", "R999", folder=tmp_path)
    assert unknown.code == 2


def test_a_torn_cache_is_passed_over_and_written_again(tmp_path: Path) -> None:
    home = tmp_path / "cache"
    first = train_or_not("decide", *TABLE, "--json", folder=tmp_path, XDG_CACHE_HOME=str(home))
    (cached,) = (home / "train-or-not").glob("rulebook-*.json")
    whole = cached.read_bytes()
    for torn in (whole[: len(whole) // 2], b"", b"[]", whole[:65], whole.replace(b"classical", b"no_ml", 40)):
        cached.write_bytes(torn)
        again = train_or_not("decide", *TABLE, "--json", folder=tmp_path, XDG_CACHE_HOME=str(home))
        assert again.json == first.json
    assert cached.read_bytes() == whole
    unwritable = train_or_not("decide", *TABLE, "--json", folder=tmp_path, XDG_CACHE_HOME="/dev/null/none")
    assert unwritable.json == first.json
