"""`train-or-not serve`: a finished run behind HTTP, on this machine only unless told otherwise."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
from pathlib import Path

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.safetext import plain
from advisor.cli.output import Output

SUMMARY = (
    "Answers over HTTP: POST /predict takes a row {column: value} or {rows: [...]}; /schema, /openapi.json, /healthz\n"
    "and /metrics (Prometheus) tell the rest; a fine-tuned model answers /v1/chat/completions too, as OpenAI's do.\n"
    "A bearer key is taken from TRAIN_OR_NOT_SERVE_KEY."
)
EXAMPLES = (
    "train-or-not serve my-case                                  the case's newest run, http://127.0.0.1:8000",
    "train-or-not serve my-case/runs/classical-1 --port 0 --keep asked.jsonl     what `monitor` reads later",
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`."""
    parser.add_argument("run", metavar="RUN", help="the folder of a finished run, CASE/runs/ID, or the case itself")
    parser.add_argument("--host", default="127.0.0.1", help="another address than this machine's own; needs a key")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="8000; 0 takes a free one")
    parser.add_argument(
        "--keep", metavar="FILE", help="append every row or conversation with its answer there, as JSON lines"
    )
    parser.add_argument("--max-rows", type=int, metavar="N", help="rows in one request")
    parser.add_argument("--max-bytes", type=int, metavar="N", help="bytes in one request")
    parser.add_argument("--max-usd", type=float, metavar="N", help="where answers cost money: never spend more in all")
    parser.add_argument("--request-seconds", type=float, metavar="N", help="time for one request")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Open the run, open the socket, say where, serve until stopped."""
    absent = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
    if absent:
        raise EnvironmentMissing(
            f"Serving needs {' and '.join(absent)}.", fix='pip install "train-or-not[serve]"', code="extra-missing"
        )
    from advisor.cli.run_folder import run_folder
    from trainers.serving.app import KEY, application, key_from_environment
    from trainers.serving.journal import Journal
    from trainers.serving.limits import limits
    from trainers.serving.server import listen, serve_forever
    from trainers.use.opened import Allowance, open_run

    key = key_from_environment()
    if arguments.host not in _LOOPBACK and not key:
        raise BadInput(
            f"Serving on {plain(arguments.host, 60)} without a key is refused.",
            where=f"--host {plain(arguments.host, 60)}",
            why="Anybody who reaches this machine could use the model and learn from its answers.",
            fix=f"Set {KEY} in the environment, or leave --host out.",
            code="no-key",
        )
    allowed = limits(
        max_rows=arguments.max_rows, max_bytes=arguments.max_bytes, request_seconds=arguments.request_seconds
    )
    opened = open_run(run_folder(arguments.run), Allowance(arguments.max_usd))
    journal = Journal(Path(arguments.keep)) if arguments.keep else None
    app = application(opened, allowed, key=key, journal=journal)
    address = listen(arguments.host, arguments.port)
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    url = f"http://{host}:{address.getsockname()[1]}"

    def ready() -> None:
        if out.json_mode:
            out.json({"url": url, "run": opened.name, "key": bool(key)})
        out.line(f"{opened.name} answers at {url}/predict" + ("; a key is asked for." if key else "."))
        if opened.record.gate.outcome != "earned":
            out.note("Mind: this run did not beat the cheaper rung on the sealed rows.")
        out.note(f"Stop with ^C. Next, what a row holds: curl {url}/schema")
        _flush()

    try:
        if opened.backend.warm is not None:
            out.note("Loading what the first answer needs; requests are taken after that.")
            opened.backend.warm()
        serve_forever(
            app, address, allowed.stop_seconds, ready, head_seconds=allowed.request_seconds, any_host=bool(key)
        )
    except KeyboardInterrupt:
        pass
    finally:
        address.close()
        if journal:
            journal.close()
    if arguments.keep:
        name = shlex.quote(str(opened.folder))
        out.note(f"Next, has the world changed? train-or-not monitor {name} {shlex.quote(arguments.keep)}")
    return 0


def _flush() -> None:
    import sys

    sys.stdout.flush()
