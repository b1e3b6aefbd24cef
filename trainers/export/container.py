"""The container that serves a run: the versions it was trained with, and nothing that serving does not import.

Where a run asks a model server, the file says in its first lines what is named when the container is started: the key,
the word that rows may go to that address, and the most that answers may cost.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

from advisor import __version__
from advisor.base.errors import BadInput
from advisor.base.keys import KEY_NAMES, SEND_TO, on_this_machine
from advisor.base.safetext import plain
from trainers.climb.learned import EmbeddingsAndLinear
from trainers.forecast.model_file import load_model as load_forecast
from trainers.use.opened import OpenedRun
from trainers.use.rung_folder import read_kept

# What `serve` and `predict` import; the questionnaire, the reports and the trainers' extras stay out.
_SERVING = ("pydantic", "pyyaml", "fastapi", "uvicorn")
_TABLES = ("numpy", "scipy", "pandas", "scikit-learn", "skops", "threadpoolctl")
_BESIDE_TABLES = ("lightgbm", "catboost", "torch", "transformers")
_LANGUAGE = ("torch", "transformers", "peft", "accelerate", "safetensors", "gguf")
_NETWORK = ("torch", "safetensors")
_ASKING = ("openai", "genai-prices", "bm25s", "PyStemmer")
# What a record says becomes lines that `pip` and `docker build` carry out, and a record can come from somebody else.
_VERSION = re.compile(r"[0-9][0-9A-Za-z.!_-]{0,40}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/\[\]-]{1,200}")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def requirements(opened: OpenedRun) -> str:
    """Exact versions: of the model's libraries those it was trained with, of the server's those installed here."""
    return "".join(f"{line}\n" for line in _pinned(opened))


def _pinned(opened: OpenedRun) -> Iterator[str]:
    for name in (*_TABLES, *_needed(opened), *_SERVING):
        version = (opened.record.versions.get(name) or _installed(name)).partition("+")[0]
        if version and not _VERSION.fullmatch(version):
            raise _not_ours(opened, f"its version of {name} is {plain(version, 40)!r}")
        yield f"{name}=={version}" if version else name


def _needed(opened: OpenedRun) -> tuple[str, ...]:
    """What this run imports beside what every run does."""
    trainer = opened.record.plan.trainer
    if trainer == "lora":
        return _LANGUAGE
    if trainer == "scratch":
        return _NETWORK
    if trainer == "backbone":
        return (*_LANGUAGE, "pillow")
    if trainer == "forecast":
        return ("statsforecast",) if load_forecast(opened.folder).fitted_anew else ()
    if trainer == "classical":
        return tuple(name for name in _BESIDE_TABLES if name in opened.record.versions)
    if trainer != "rung":
        return ()
    kept = read_kept(opened.folder)
    meaning = kept.prepared.get("by_meaning") or kept.name == EmbeddingsAndLinear.name
    asks = "mode" in kept.prepared
    local = asks and kept.endpoint == "local"
    return (_ASKING if asks else ()) + (_LANGUAGE if local or meaning else ())


def _server(opened: OpenedRun) -> str:
    """The address of the model server that this run asks; empty where it asks none."""
    if opened.record.plan.trainer != "rung":
        return ""
    kept = read_kept(opened.folder)
    if "mode" not in kept.prepared or kept.endpoint == "local":
        return ""
    if not _ADDRESS.fullmatch(kept.endpoint):
        raise _not_ours(opened, f"its model server is {plain(kept.endpoint, 80)!r}")
    return kept.endpoint


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _not_ours(opened: OpenedRun, what: str) -> BadInput:
    return BadInput(
        f"{opened.name} cannot be exported: {what}.",
        where=str(opened.folder / "run.json"),
        why="Names and versions from a record become commands of a container, so only plain ones are taken.",
        fix="Train it again here, with its base in a folder of letters, digits, dots, dashes and underscores.",
        code="odd-record",
    )


def dockerfile(opened: OpenedRun) -> str:
    """Build it in the exported folder; keys are given when it is started, never built in."""
    language = "torch" in _needed(opened)
    # The processor builds of torch are a fifth of the size of those for graphics cards.
    index = " --extra-index-url https://download.pytorch.org/whl/cpu" if language else ""
    base = str(opened.record.hyperparameters.get("base", ""))
    inside_case = bool(base) and not Path(base).is_absolute() and (opened.folder.parent.parent / base).is_dir()
    if inside_case and not _FOLDER.fullmatch(base):
        raise _not_ours(opened, f"its base is {plain(base, 80)!r}")
    beside = f"COPY {base}/ {base}/\n" if inside_case else ""
    # LightGBM's wheel, unlike scikit-learn's, brings no OpenMP of its own, and the slim image has none.
    threads = (
        "RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*\n"
    )
    system = threads if "lightgbm" in _needed(opened) else ""
    home = "useradd --create-home server" if language else "useradd --no-create-home server"
    return f"""\
# docker build -t my-model .
{_started(_server(opened))}\
FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1
WORKDIR /model
{system}COPY requirements.txt .
RUN pip install --no-cache-dir{index} -r requirements.txt
# The tool itself, without the packages that only asking, reporting and training need. A wheel works as well.
ARG TOOL=train-or-not=={__version__}
RUN pip install --no-cache-dir --no-deps "$TOOL"
COPY runs/ runs/
{beside}RUN {home} && mkdir .climb && chown server .climb
USER server
EXPOSE 8000
# Until the first answer is ready nothing is taken: that may load weights, or compile, for a minute.
HEALTHCHECK --start-period=5m \\
  CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"
# Options of `serve` may follow the image's name.
ENTRYPOINT ["train-or-not", "serve", ".", "--host", "0.0.0.0", "--port", "8000"]
"""


def _started(server: str) -> str:
    """How the container is started, as comments: with all that a run needs which asks `server`."""
    usual = "# docker run -e TRAIN_OR_NOT_SERVE_KEY -p 127.0.0.1:8000:8000"
    if not server:
        return f"{usual} my-model\n"
    there = " --network host" if on_this_machine(server) else ""
    why = "#   (--network host, since the model server's address is this machine's own; on Linux)\n" if there else ""
    return f"""\
{usual}{there} \\
#   -e {KEY_NAMES[0]} -e {SEND_TO}={server} \\
#   -v my-model-spent:/model/.climb my-model --max-usd 2
{why}\
# Each answer is a question to that server: the key is yours, {SEND_TO} is your word that
# rows may go there, and --max-usd is the most that all answers may cost. The volume keeps what was spent and answered.
"""
