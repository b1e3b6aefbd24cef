"""`train-or-not export`: a folder with all that is needed to use a run elsewhere."""

from __future__ import annotations

import argparse
import shlex
import textwrap
from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.cli.output import Output

SUMMARY = (
    "Writes the run, its model card, a manifest with hashes, ONNX where it answers the same (checked on development\n"
    "rows), and a Dockerfile that installs only what serving needs."
)
EXAMPLES = (
    "train-or-not export my-case                                 the case's newest run, into my-case/exports/",
    "train-or-not export my-case/runs/lora-1 --to shipped --int8 --gguf",
)

_FORMS = {"merged": "Merged model", "int8": "Eight bits (compressed-tensors)", "gguf": "GGUF (Q8_0)"}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("run", metavar="RUN", help="the folder of a finished run, CASE/runs/ID, or the case itself")
    parser.add_argument("--to", metavar="FOLDER", help="a folder that does not exist yet; CASE/exports/ID unless named")
    parser.add_argument("--no-onnx", action="store_true", help="leave ONNX out")
    parser.add_argument(
        "--no-merged", action="store_true", help="of a fine-tuned model only the adapter, not the whole merged model"
    )
    parser.add_argument(
        "--int8", action="store_true", help="of a fine-tuned model also its eight bits, with what they cost measured"
    )
    parser.add_argument("--gguf", action="store_true", help="… also one GGUF file, for llama.cpp and Ollama")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Export, and say what could not be."""
    from advisor.cli.run_folder import run_folder
    from trainers.export.bundle import export_run
    from trainers.use.opened import open_run

    if arguments.no_merged and (arguments.int8 or arguments.gguf):
        raise BadInput(
            "Other forms are made from the merged model.", where="--no-merged", fix="Leave it out.", code="usage"
        )
    opened = open_run(run_folder(arguments.run))
    case = opened.folder.parent.parent
    target = Path(arguments.to) if arguments.to else case / "exports" / opened.name
    manifest = export_run(
        opened,
        target,
        lambda text: out.note(f"  {text}"),
        onnx=not arguments.no_onnx,
        whole=not arguments.no_merged,
        int8=arguments.int8,
        gguf=arguments.gguf,
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
    for name, told in (manifest["models"] or {}).items():
        out.line(
            f"{_FORMS[name]}, {told['megabytes']:,.0f} MB: the same answer on {told['same']:.0%} of {told['rows']} "
            f"development rows; {told['metric']} {told['score']:.3f}, of the run {told['run_score']:.3f} "
            f"(difference {told['low']:+.3f} to {told['high']:+.3f})."
        )
    for name, why in manifest["not_exported"].items():
        for line in textwrap.wrap(f"No {name}: {plain(why, 600)}", 100, subsequent_indent="  "):
            out.line(line)
    folder = shlex.quote(str(target))
    out.note(f"Next: train-or-not serve {folder}   (or, in a container: docker build {folder})")
    return 0
