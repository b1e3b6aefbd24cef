"""`train-or-not`: which verb was meant, what it prints, and how it ends."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any, NoReturn

from advisor import __version__
from advisor.base.errors import BadInput, Interrupted, Problem, did_you_mean

# A verb's module is imported only when that verb is called: `--help` must stay light.
VERBS = {
    "new": "start an empty case with a commented answers file",
    "ask": "answer the questions that can still change the decision",
    "look": "profile data: facts, pitfalls, an honest split",
    "decide": "walk the ladder and stop at the cheapest rung that is enough",
    "climb": "measure the rungs on your own examples, cheapest first, under a cap",
    "report": "write the decision report: terminal, Markdown, HTML",
    "explain": "why, why not, and what would change it",
    "plan": "estimate time, memory, disk and money before training",
    "train": "do exactly what the plan says, and hold it against the cheaper rung",
    "distill": "a large rung labels rows under a cap, a small model learns from them",
    "predict": "use a trained run on new rows",
    "serve": "a trained run behind HTTP, on this machine only unless told otherwise",
    "export": "a folder to ship: ONNX where it is equal, a card, hashes, a container",
    "track": "a run's record into MLflow, TensorBoard or Weights & Biases",
    "monitor": "has the world changed since? drift, quality, right answers, what follows",
    "list": "the cases of this folder and where each stands",
    "diff": "what changed between two cases, or since the last decision of one",
    "rules": "prove, test, read or draw the rulebook",
    "mcp": "the same verbs for agents, over the Model Context Protocol",
    "doctor": "check this machine, with the command that mends each fault",
    "demo": "the whole chain on shipped data, in about two minutes",
}

INTRODUCTION = """\
Should we train a model, and if so, how?

  train-or-not demo                 the whole chain on shipped data
  train-or-not ask my-case          start with your own question
"""


class Page(argparse.RawDescriptionHelpFormatter):
    """A help page as wide as the terminal. argparse would load `shutil`, and with it three compressors, to ask."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
        except (ValueError, OSError):
            columns = 80
        super().__init__(prog, width=max(columns, 40) - 2)


class Parser(argparse.ArgumentParser):
    """argparse, with our error form instead of its own."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message[:1].upper()}{message[1:]}.", fix=f"{self.prog} --help", code="usage")


def main(argv: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left (`| head`): not our bug, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _run(words: list[str]) -> int:
    from advisor.cli.output import Output

    out = Output(json_mode="--json" in words, quiet="--quiet" in words)
    try:
        return dispatch(words)
    except Problem as problem:
        out.problem(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        out.problem(
            Interrupted("Stopped.", fix="Run the same command again; what was saved is kept.", code="interrupted")
        )
        return Interrupted.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and (full := _no_room(error)):
            out.problem(full)
            return full.exit_code
        if os.environ.get("TRAIN_OR_NOT_DEBUG"):
            raise
        out.problem(
            Problem(
                f"{type(error).__name__}: {error}",
                why="This is a fault in train-or-not, not in what you did.",
                fix="Run again with TRAIN_OR_NOT_DEBUG=1 and report what it prints.",
                code="our-bug",
            )
        )
        return 1


def _no_room(error: OSError) -> Problem | None:
    """A full disk, wherever it was met; whole files are written whole or not at all, so nothing is torn."""
    from advisor.base.errors import EnvironmentMissing
    from advisor.base.files import is_disk_full

    if not is_disk_full(error):
        return None
    return EnvironmentMissing(
        "No room on the disk.",
        where=str(error.filename or ""),
        why="What was there before was kept as it was.",
        fix="Free some space on that disk (df -h), then run the same command again.",
        code="disk-full",
    )


def dispatch(words: list[str], *, silent: bool = False) -> int:
    """Run one verb and return its exit code; `silent` keeps its answer from stdout. Raises what the verb raises."""
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0
    if words[0] in ("-V", "--version"):
        sys.stdout.write(f"train-or-not {__version__}\n")
        return 0
    if words[0] == "--print-completion":
        from advisor.cli.completion import print_completion

        return print_completion(words[1:], {verb: parser_of(verb)[1] for verb in VERBS}, VERBS)
    verb = words[0]
    if verb not in VERBS:
        raise BadInput(
            f"There is no command {verb!r}.",
            fix=did_you_mean(verb, VERBS) or "train-or-not --help",
            code="no-command",
        )
    from advisor.cli.output import Output

    if "--schema" in words[1:]:
        from advisor.cli.schemas import schema_for

        Output(silent=silent).json(schema_for(verb))
        return 0
    module, parser = parser_of(verb)
    arguments = parser.parse_args(words[1:])

    out = Output(
        json_mode=arguments.json,
        no_input=arguments.no_input,
        bare=arguments.plain,
        quiet=arguments.quiet,
        silent=silent,
    )
    code: int = module.run(arguments, out)
    return code


def parser_of(verb: str) -> tuple[Any, Parser]:
    """A verb's module and its parser."""
    module = importlib.import_module(f"advisor.cli.{verb}")
    examples = "\n".join(f"  {example}" for example in module.EXAMPLES)
    parser = Parser(
        prog=f"train-or-not {verb}",
        description=f"{examples}\n\n{module.SUMMARY}",
        formatter_class=Page,
    )
    module.configure(parser)
    everywhere = parser.add_argument_group("everywhere")
    everywhere.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else there")
    everywhere.add_argument("--schema", action="store_true", help="print the JSON Schema of what --json prints")
    everywhere.add_argument("--no-input", action="store_true", help="never prompt")
    everywhere.add_argument("--plain", action="store_true", help="no colour, no boxes")
    everywhere.add_argument("--quiet", action="store_true", help="no remarks on stderr")
    return module, parser


def usage() -> str:
    """The page that `--help` prints; made without loading any verb."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items())
    return f"""{INTRODUCTION}
Commands (each has its own --help):
{verbs}

Exit codes: 0 done, whatever the verdict · 1 our bug · 2 bad input · 3 facts missing · 4 gate not passed
            5 environment or extra missing · 6 budget reached, work kept · 130 interrupted, work kept

  train-or-not --version · train-or-not --print-completion bash|zsh|tcsh
"""
