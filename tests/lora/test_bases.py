"""Which base is taken, and why not another: memory, licence, context, task; and what is named when none will do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor.base.errors import BadInput, EnvironmentMissing
from tests.command import train_or_not
from tests.lora.conftest import ticket_rows
from trainers.common.policy import policy
from trainers.lora.bases import Candidate, candidates, choose, licence_in, listed
from trainers.lora.sizes import EMBEDDED_SHAPE, ENCODER_SHAPE, Shape

SMALL, LARGE = listed()["Qwen/Qwen3-0.6B"], listed()["Qwen/Qwen3-8B"]


def room(billions: float):  # type: ignore[no-untyped-def]  # a Fits
    return lambda shape: (shape.parameters <= billions * 1e9, f"It has {shape.parameters:,} weights.")


def chosen(named: list[Candidate], billions: float = 100.0, longest: int = 500, **changes: object):  # type: ignore[no-untyped-def]
    asked = {"writes": True, "use": "commercial", **changes}
    return choose(named, room(billions), longest=longest, **asked)  # type: ignore[arg-type]  # by their names


def test_every_model_of_the_catalogue_has_its_published_size_a_known_licence_and_a_source() -> None:
    for line in policy("bases")["bases"]:
        assert listed()[line["name"]].parameters / 1e9 == pytest.approx(line["billions"], rel=0.02), line["name"]
        assert line["licence"] in policy("bases")["licences"] and line["source"]
    assert all(licence["source"] for licence in policy("bases")["licences"].values())
    assert ENCODER_SHAPE.parameters == pytest.approx(22.7e6, rel=0.02)


def test_the_largest_that_fits_and_is_here_is_taken_and_the_others_say_why_not() -> None:
    named = [
        Candidate("mine", SMALL, "mit", True),
        Candidate("huge", LARGE, "mit", True),
        Candidate("closed", EMBEDDED_SHAPE, "cc-by-nc-4.0", True),
        Candidate("unread", EMBEDDED_SHAPE, "", True),
        Candidate("short", Shape("llama", 30, 576, 1536, 9, 3, 64, 49152, 256, tied=True), "mit", True),
        Candidate("reader", ENCODER_SHAPE, "apache-2.0", True),
        Candidate("blank", None, "mit", True),
        Candidate("far", EMBEDDED_SHAPE, "llama3.2", False),
    ]
    taken, options = chosen(named, billions=1)
    told = {option.name: (option.verdict, option.reason) for option in options}
    assert (taken, told["mine"][0]) == ("mine", "taken")
    assert told["huge"] == ("refused", f"It has {LARGE.parameters:,} weights.")
    assert "does not allow commercial use" in told["closed"][1]
    assert "not named" in told["unread"][1]
    assert told["short"][1] == "It reads 256 tokens; the longest row has about 500."
    assert "only reads" in told["reader"][1]
    assert "size is not known" in told["blank"][1]
    assert told["far"][0] == "to_fetch"
    assert "700 million" in told["far"][1] and told["far"][1].endswith("then --base models/far")
    assert chosen(named, billions=100)[0] == "huge"
    assert chosen(named[2:3], use="research")[0] == "closed"
    assert chosen(named[5:6], longest=400, writes=False)[0] == "reader"


def test_where_none_will_do_the_next_smaller_is_named_or_what_to_fetch() -> None:
    with pytest.raises(EnvironmentMissing, match="None of 1 base models") as refused:
        chosen([Candidate("huge", LARGE, "mit", True)], billions=1)
    assert refused.value.fix.startswith("The next smaller that does: --base Qwen/Qwen3-0.6B (0.60 billion")
    with pytest.raises(EnvironmentMissing) as refused:
        chosen([Candidate("Qwen/Qwen3-0.6B", SMALL, "apache-2.0", False)])
    assert (
        refused.value.fix == "hf download Qwen/Qwen3-0.6B --local-dir models/Qwen3-0.6B, then --base models/Qwen3-0.6B"
    )
    with pytest.raises(EnvironmentMissing) as refused:
        chosen([Candidate("huge", LARGE, "mit", True)], billions=0.001)
    assert "rent a card" in refused.value.fix


def test_a_folder_tells_its_size_by_its_configuration_and_its_licence_by_its_readme(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    sizes = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 100}
    (folder / "config.json").write_text(json.dumps({**sizes, "architectures": ["LlamaForCausalLM"]}))
    (folder / "model.safetensors").write_bytes(b"")
    assert licence_in(folder) == ""
    (folder / "README.md").write_text("---\ntags: [a]\nlicense: MIT\n---\nlicense: cc-by-nc-4.0\n")
    (found,) = candidates(["mine"], tmp_path)
    assert (found.licence, found.here) == ("mit", True)
    assert found.shape is not None and found.shape.layers == 2
    with pytest.raises(BadInput, match="There is no base") as refused:
        candidates(["Qwen/Qwen3-8b"], tmp_path)
    assert "Qwen/Qwen3-8B" in refused.value.fix
    assert {one.name for one in candidates(["any"], tmp_path)} > set(listed())


@pytest.mark.heavy
def test_a_plan_takes_the_base_that_does_and_shows_what_it_found_of_each(tmp_path: Path) -> None:
    rows = [{"prompt": row["ticket"], "completion": row["answer"]} for row in ticket_rows(120)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    assert train_or_not("look", "case", "--data", "rows.jsonl", "--quiet", folder=tmp_path).code == 0
    words = ("plan", "case", "--approach", "fine_tune", "--base", "any", "--json")
    planned = train_or_not(*words, "--rent", "L4", folder=tmp_path).json
    found = {base["name"]: base["verdict"] for base in planned["bases"]}
    assert found["smollm2-135m-instruct"] == "taken" and found["Qwen/Qwen3-8B"] == "to_fetch"
    assert planned["settings"]["base"]["value"] == "smollm2-135m-instruct"
    assert "The largest that fits" in planned["settings"]["base"]["reason"]
    assert {card["card"]: card["usd"] is None for card in planned["estimate"]["cards"]}["RTX 4090"]
    for card in planned["estimate"]["cards"]:
        assert card["card"] == "RTX 4090" or 0 < card["usd"][0] < card["usd"][1]
    shown = train_or_not(*words[:-1], folder=tmp_path).out
    assert "peak GB" in shown and "Estimated, not measured" in " ".join(shown.split())
    refused = train_or_not("plan", "case", "--approach", "get_labels", "--base", "any", "--json", folder=tmp_path)
    assert refused.code == 2 and refused.json["error"]["code"] == "no-base-needed"
