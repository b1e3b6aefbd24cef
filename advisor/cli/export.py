"""`train-or-not export`: a folder with all that is needed to use a run elsewhere."""

from __future__ import annotations

import argparse
import shlex
import textwrap
from pathlib import Path

from advisor.base.safetext import plain
from advisor.cli.output import Output

SUMMARY = (
    "Writes the run, its model card, a manifest with hashes, ONNX where it answers the same (checked on development\n"
    "rows), and a Dockerfile that installs only what serving needs."
)
EXAMPLES = (
    "train-or-not export my-case                                 the case's newest run, into my-case/exports/",
    "train-or-not export my-case/runs/classical-1 --to shipped --no-onnx",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("run", metavar="RUN", help="the folder of a finished run, CASE/runs/ID, or the case itself")
    parser.add_argument("--to", metavar="FOLDER", help="a folder that does not exist yet; CASE/exports/ID unless named")
    parser.add_argument("--no-onnx", action="store_true", help="leave ONNX out")
    parser.add_argument(
        "--no-merged", action="store_true", help="of a fine-tuned model only the adapter, not the whole merged model"
    )


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Export, and say what could not be."""
    from advisor.cli.run_folder import run_folder
    from trainers.export.bundle import export_run
    from trainers.use.opened import open_run

    opened = open_run(run_folder(arguments.run))
    case = opened.folder.parent.parent
    target = Path(arguments.to) if arguments.to else case / "exports" / opened.name
    manifest = export_run(
        opened,
        target,
        lambda text: out.note(f"  {text}"),
        onnx=not arguments.no_onnx,
        whole=not arguments.no_merged,
    )
    if out.json_mode:
        out.json({"folder": str(target), **manifest})
    size = sum(int(file["bytes"]) for file in manifest["files"]) / 1e6
    out.line(f"{opened.name} is in {target}: {len(manifest['files'])} files, {size:,.1f} MB.")
    if manifest["onnx"]:
        told = manifest["onnx"]
        out.line(
            f"ONNX: equal on {told['checked_rows']:,} development rows, scores at most "
            f"{told['largest_difference']:.1g} apart."
        )
    if manifest["merged"]:
        told = manifest["merged"]
        out.line(f"Merged model: the same answer on {told['same_answers']:.0%} of {told['checked_rows']} rows.")
    for name, why in manifest["not_exported"].items():
        for line in textwrap.wrap(f"No {name}: {plain(why, 600)}", 100, subsequent_indent="  "):
            out.line(line)
    folder = shlex.quote(str(target))
    out.note(f"Next: train-or-not serve {folder}   (or, in a container: docker build {folder})")
    return 0
