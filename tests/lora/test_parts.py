"""Which rows a run learns from and which it is measured on: copies, near copies and one thing's rows never part."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from advisor.base.files import sha256_of_file
from advisor.records.look import SplitProposal
from advisor.records.plan import Plan
from tests.lora.test_trainer import plan_for
from trainers.lora.parts import Parts, part
from trainers.lora.planning import corpus_of
from trainers.lora.recipe import Recipe

THINGS = [
    "the parcel came broken and the lid is off",
    "a refund for the lamp was promised in march",
    "my voucher code is refused at the till",
    "the courier rang at the wrong door",
    "nobody answers the phone on sundays",
    "the invoice lists two chairs instead of one",
    "your shop closed before the sale began",
    "the zip of the coat tore at once",
    "please change my address to the new flat",
    "the app forgets my password daily",
    "a screw was absent from the shelf",
    "the colour differs from the picture online",
    "the battery dies within an hour",
    "i was charged twice for one ticket",
    "the manual is only in danish",
    "the gift card shows no balance",
    "the seller cancelled without reason",
    "the size chart is plainly wrong",
    "the newsletter cannot be stopped",
    "the pickup point was locked",
    "the kettle leaks from below",
    "my points vanished overnight",
    "the promo ended a day early",
    "the box held another order",
    "the warranty form rejects my name",
    "the driver left it in the rain",
    "the mixer smells of smoke",
    "the table wobbles on flat floor",
    "the search finds nothing useful",
    "the chat drops every time",
]


def parted(folder: Path, rows: list[dict[str, object]], split: SplitProposal, target: str = "answer") -> Parts:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "tickets.csv").write_text("made only for its hash\n")
    plan: Plan = dataclasses.replace(
        plan_for(folder),
        data="rows.jsonl",
        data_sha256=sha256_of_file(folder / "rows.jsonl"),
        split=split,
        target=target,
    )
    recipe = Recipe(development_rows=8, sealed_rows=1000)
    return part(corpus_of(plan, folder, recipe), plan, folder, recipe)


def together(parts: Parts, thing_of: dict[int, int]) -> None:
    """Each thing's rows lie in one part only."""
    sides = (parts.train, parts.development, parts.sealed)
    learned, looked, sealed = ({thing_of[example.row] for example in side} for side in sides)
    assert learned
    assert looked
    assert sealed
    assert not learned & sealed
    assert not learned & looked
    assert not looked & sealed


NEAR = SplitProposal("random", "", 0.2, "", near=("ticket",), similarity=0.8)
TEXTS = [f"{text} and {THINGS[number - 7]}" for number, text in enumerate(THINGS)]
COPIES = [(f"{text}{end}", number) for end in ("", " thanks") for number, text in enumerate(TEXTS)]
THING_OF = {row: number for row, (_, number) in enumerate(COPIES, 1)}


def test_near_copies_of_a_row_stay_in_one_part(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"ticket": text, "answer": f"a{number % 4}"} for text, number in COPIES]
    together(parted(tmp_path, rows, NEAR), THING_OF)


def test_near_copies_among_conversations_stay_in_one_part_whatever_instruction_they_share(tmp_path: Path) -> None:
    long = "Say in one word which of our teams should take care of the following message of a customer, please."
    rows: list[dict[str, object]] = [
        {
            "messages": [
                {"role": "user", "content": f"{long}\n\n{text}"},
                {"role": "assistant", "content": f"a{number % 4}"},
            ]
        }
        for text, number in COPIES
    ]
    together(parted(tmp_path, rows, dataclasses.replace(NEAR, near=("messages",)), "messages"), THING_OF)


def test_rows_of_one_thing_told_by_several_columns_stay_in_one_part(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"shop": number % 5, "day": number % 30, "ticket": f"{text} {copy}", "answer": f"a{copy}"}
        for copy in range(4)
        for number, text in enumerate(THINGS)
    ]
    split = SplitProposal("group", "", 0.2, "", same=("shop", "day"))
    together(parted(tmp_path, rows, split), {row: (row - 1) % 30 for row in range(1, len(rows) + 1)})


def test_rows_sealed_by_an_earlier_plan_stay_sealed_once_near_copies_are_kept_together(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"ticket": text, "answer": f"a{number % 4}"} for text, number in COPIES]
    before = {example.row for example in parted(tmp_path, rows, dataclasses.replace(NEAR, near=())).sealed}
    assert before <= {example.row for example in parted(tmp_path, rows, NEAR).sealed}
