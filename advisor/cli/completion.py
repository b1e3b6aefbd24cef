"""Shell completion: a script for bash, zsh or tcsh, made from the parsers themselves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from advisor.base.errors import BadInput, did_you_mean

SHELLS = ("bash", "zsh", "tcsh")


def print_completion(
    words: list[str], parsers: Mapping[str, argparse.ArgumentParser], summaries: Mapping[str, str]
) -> int:
    """Print the completion script for the shell named in `words`; `parsers` and `summaries` are by verb."""
    shell = words[0] if words else ""
    if shell not in SHELLS:
        raise BadInput(
            f"There is no completion for the shell {shell!r}." if shell else "Which shell?",
            fix=did_you_mean(shell, SHELLS) or "train-or-not --print-completion bash  (or zsh, tcsh)",
            code="no-shell",
        )
    import shtab

    whole = argparse.ArgumentParser(prog="train-or-not")
    verbs = whole.add_subparsers()
    for verb, parser in parsers.items():
        verbs.add_parser(verb, parents=[parser], add_help=False, help=summaries[verb])
    sys.stdout.write(shtab.complete(whole, shell) + "\n")
    return 0
