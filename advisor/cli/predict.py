"""`train-or-not predict`: a trained run's answers for the rows of a file, the same numbers as in training."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import BadInput, Interrupted
from advisor.base.safetext import plain
from advisor.cli.output import Output

if TYPE_CHECKING:
    from trainers.use.opened import OpenedRun

SUMMARY = "Answers for new rows of any size of file: each row as it came, then the prediction and each class's score."
EXAMPLES = (
    "train-or-not predict my-case/runs/classical-1 new.csv --output answers.csv     goes on where a kill stopped it",
    "train-or-not predict my-case new.jsonl --map Country=country --json           newest run, or the climb's rung",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `predict`."""
    parser.add_argument("run", metavar="RUN", help="a finished run: CASE/runs/ID, CASE, or CASE/climb.json")
    parser.add_argument("file", metavar="FILE", help="the rows: CSV, JSON lines, Parquet, Excel; or a folder of images")
    parser.add_argument("--output", metavar="FILE", help="write there instead of to stdout: .csv, .jsonl or .parquet")
    parser.add_argument("--only-answers", action="store_true", help="leave out the columns of the rows themselves")
    parser.add_argument(
        "--max-usd", type=float, metavar="N", help="where each answer costs money: never spend more than this in all"
    )
    parser.add_argument(
        "--dask",
        default="",
        metavar="ADDRESS",
        help="with --output: spread over a Dask cluster of yours, tcp://host:8786",
    )
    parser.add_argument(
        "--map", metavar="FILE_NAME=MODEL_NAME", action="append", default=[], help="a column that has another name here"
    )


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Read in pieces, answer, write as it goes: memory does not grow with the file."""
    from advisor.cli.run_folder import run_folder
    from trainers.use.opened import Allowance, open_run

    if arguments.dask and arguments.max_usd is not None:
        raise BadInput(
            "A cap on money is kept by one machine, so answers that cost some are not spread.",
            where="--dask",
            why="The workers could not know what the others have spent.",
            fix="Leave --dask out: several questions are on their way to the server at once as it is.",
            code="usage",
        )
    given = Path(arguments.file)
    files = given if given.is_dir() else given.parent
    opened = open_run(run_folder(arguments.run), Allowance(arguments.max_usd, files=files))
    names = asked_names(arguments.map)
    if arguments.dask and not arguments.output:
        raise BadInput("A cluster answers into a file.", where="--dask", fix="--output answers.csv", code="usage")
    if arguments.output:
        return _to_file(opened, arguments, names, out)
    from trainers.use.wholefile import Reader
    from trainers.use.written import csv_header, csv_lines

    reader = Reader(opened, arguments.file, names)
    if out.json_mode:
        rows = [answer for piece in reader.pieces() for answer in piece.answers.rows()]
        out.json(
            {"run": opened.name, "rows": len(rows), "predictions": rows, **_told(reader.renamed, reader.unreadable)}
        )
        return 0
    for piece in reader.pieces():
        frame = None if arguments.only_answers else piece.frame
        if piece.start == 0:
            own = [] if frame is None else list(map(str, frame.columns))
            sys.stdout.write(csv_header(own, piece.answers))
        sys.stdout.write(csv_lines(frame, piece.answers))
    _tell(reader.renamed, reader.unreadable, out)
    return 0


def _to_file(opened: OpenedRun, arguments: argparse.Namespace, names: dict[str, str], out: Output) -> int:
    from advisor.cli.cluster import spread_over
    from advisor.cli.progress import shown_progress
    from trainers.use.wholefile import answer_file

    try:
        with spread_over(arguments.dask, out), shown_progress(out) as progress:
            done = answer_file(
                opened,
                Path(arguments.file),
                Path(arguments.output),
                progress,
                with_rows=not arguments.only_answers,
                names=names,
                spread=bool(arguments.dask),
            )
    except KeyboardInterrupt:
        raise Interrupted(
            "Stopped; the rows that were answered are kept.",
            where=arguments.output,
            fix="Run the same command again: it goes on from there.",
            code="interrupted",
        ) from None
    told = _told(done.renamed, done.unreadable)
    if out.json_mode:
        out.json(
            {"run": opened.name, "rows": done.rows, "output": arguments.output, "resumed_after": done.resumed, **told}
        )
    _tell(done.renamed, done.unreadable, out)
    case = shlex.quote(str(opened.folder.parent.parent))
    out.note(f"{done.rows:,} rows answered by {opened.name}, in {arguments.output}.")
    out.note(f"Next, what these answers rest on: train-or-not report {case}")
    return 0


def asked_names(pairs: list[str]) -> dict[str, str]:
    """`--map OLD=NEW` as a dictionary; raises `BadInput` for anything else."""
    names = {}
    for pair in pairs:
        old, sign, new = pair.partition("=")
        if not (sign and old and new):
            raise BadInput(
                f"{plain(pair, 60)!r} maps nothing.",
                where="--map",
                fix="Write the file's name, then the model's: --map Country=country",
                code="usage",
            )
        names[old] = new
    return names


def _told(renamed: dict[str, str], unreadable: dict[str, int]) -> dict[str, object]:
    return {"renamed": renamed, "unreadable_cells": unreadable}


def _tell(renamed: dict[str, str], unreadable: dict[str, int], out: Output) -> None:
    for old, new in renamed.items():
        out.note(f"Column {plain(old, 60)} was read as {plain(new, 60)}.")
    for name, count in unreadable.items():
        out.note(f"{count:,} cells of {plain(name, 60)} could not be read as in training; answered as missing.")
