"""What was cut into tokens once is not cut again, unless it, the tokenizer or the template is another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lora.test_learning import examples
from trainers.lora import tokenised
from trainers.lora.base import load_tokenizer
from trainers.lora.examples import Example
from trainers.lora.tokenised import FOLDER, keeping
from trainers.lora.tokens import Encoded, Encoder

RULES: dict[str, Any] = {"tokens": {"kept_from_rows": 5, "most_mb": 1, "files": 2}}


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenised, "presets", lambda: RULES)


class Counting(Encoder):
    """An encoder that counts the rows that it cuts itself."""

    cut = 0

    def _encoded(self, example: Example) -> Encoded:
        self.cut += 1
        return super()._encoded(example)


def cut_in(case: Path, model: Path, rows: list[Example], template: str = "") -> tuple[list[Encoded], int]:
    tokenizer = load_tokenizer(model)
    tokenizer.chat_template = template + tokenizer.chat_template
    encoder = Counting(tokenizer, [2])
    with keeping(encoder, case):
        found = encoder.encode_all(rows, case / "rows.jsonl", 512)
    return found, encoder.cut


def test_the_same_rows_are_cut_once_and_added_ones_alone(tiny_model: Path, tmp_path: Path) -> None:
    rows = examples(12)
    first, cut = cut_in(tmp_path, tiny_model, rows[:9])
    assert cut == 9
    assert first == [Encoder(load_tokenizer(tiny_model), [2]).encode(row) for row in rows[:9]]
    assert cut_in(tmp_path, tiny_model, rows[:9]) == (first, 0)
    grown, cut = cut_in(tmp_path, tiny_model, rows)
    assert (grown[:9], cut) == (first, 3)
    (file,) = (tmp_path / FOLDER).iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_another_template_cuts_anew_and_only_the_newest_files_stay(tiny_model: Path, tmp_path: Path) -> None:
    for template in ("first ", "second ", "third "):
        found, cut = cut_in(tmp_path, tiny_model, examples(6), template)
        assert cut == 6
        assert found == cut_in(tmp_path, tiny_model, examples(6), template)[0]
    assert len(list((tmp_path / FOLDER).iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, None])
def test_a_damaged_file_is_written_again(damage: bytes | None, tiny_model: Path, tmp_path: Path) -> None:
    whole, _ = cut_in(tmp_path, tiny_model, examples(6))
    (file,) = (tmp_path / FOLDER).iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    assert cut_in(tmp_path, tiny_model, examples(6)) == (whole, 6)
    assert file.read_bytes() == content


def test_few_rows_and_more_than_the_limit_are_not_kept(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_in(tmp_path, tiny_model, examples(4))
    monkeypatch.setitem(RULES["tokens"], "most_mb", 0)
    cut_in(tmp_path, tiny_model, examples(6))
    assert not (tmp_path / FOLDER).exists()
