"""The shape of the code: imports go down only, each foreign library has one door, `--help` loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A package may import what stands on a lower number; rooms on one floor do not know each other.
FLOORS = {
    "advisor.base": 0,
    "advisor.records": 1,
    "advisor.reasoning": 2,
    "advisor.evidence": 2,
    "advisor.interview": 3,
    "advisor.report": 3,
    "advisor.planner": 3,
    "advisor.doctor": 3,
    "advisor.agents": 3,
    "advisor.cli": 4,
}
TRAINER_MAY = ("advisor.base", "advisor.records", "advisor.__version__", "trainers")

DOORS = {
    "yaml": ("advisor.base.strictyaml",),
    "questionary": ("advisor.interview",),
    "rich": ("advisor.report.terminal", "advisor.cli"),
    "openai": ("advisor.base.llm",),
    "pydantic": ("advisor.records.plain", "advisor.base.llm", "advisor.interview.intake", "advisor.agents"),
    "mcp": ("advisor.agents",),
    "mcp_types": ("advisor.agents",),
    "fastapi": ("trainers.serving",),
    "uvicorn": ("trainers.serving",),
    "starlette": ("trainers.serving",),
    "h11": ("trainers.serving",),
    "skl2onnx": ("trainers.export",),
    "onnx": ("trainers.export",),
    "onnxruntime": ("trainers.export",),
    "statsforecast": ("trainers.forecast",),
    "distributed": ("advisor.cli.cluster",),
    "dask": ("advisor.cli.cluster",),
    "mlflow": ("trainers.track.mlflow",),
    "tensorboard": ("trainers.track.tensorboard",),
    "tensorboardX": ("trainers.track.tensorboard",),
    "wandb": ("trainers.track.wandb",),
    "bm25s": ("trainers.climb.retrieval",),
    "Stemmer": ("trainers.climb.retrieval",),
    "sacrebleu": ("trainers.climb.bleu",),
    "gepa": ("trainers.climb.optimised",),
    "genai_prices": ("trainers.climb.spend",),
    "pypdf": ("advisor.evidence.pdfs",),
    "pyarrow": ("advisor.base.tables", "advisor.base.unpacked", "trainers.use.sinks"),
    "gguf": ("trainers.embedded",),
    "PIL": ("trainers.backbone",),
    "safetensors": ("trainers.embedded", "trainers.lora", "trainers.scratch", "trainers.backbone"),
    "torch": ("trainers.lora", "trainers.scratch", "trainers.embedded", "trainers.backbone"),
    "transformers": ("trainers.lora", "trainers.scratch", "trainers.embedded", "trainers.backbone"),
    "peft": ("trainers.lora", "trainers.backbone"),
    "sklearn": ("advisor.evidence", "trainers"),
    "matplotlib": ("advisor.report",),
}

RUNS_CODE = (
    "eval", "exec", "compile", "__import__", "joblib.load", "joblib.dump", "pickle.load", "pickle.loads", "os.system",
    "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp", "runpy.run_path",
)  # fmt: skip

HEAVY = ("numpy", "pandas", "sklearn", "torch", "transformers", "peft", "openai", "questionary", "pydantic", "rich")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("advisor", "trainers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def room_of(name: str) -> str | None:
    return next((room for room in FLOORS if name == room or name.startswith(f"{room}.")), None)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_imports_go_down_only() -> None:
    wrong = []
    for name, tree in modules():
        here = room_of(name)
        for wanted, line in imports(tree):
            there = room_of(wanted)
            if name.startswith("trainers"):
                if wanted.startswith("advisor.") and not within(wanted, TRAINER_MAY):
                    wrong.append(f"{name}:{line} imports {wanted}: trainers see records and base only")
            elif wanted.startswith("trainers") and here != "advisor.cli":
                wrong.append(f"{name}:{line} imports {wanted}: only the command line reaches trainers")
            elif here and there and here != there and FLOORS[there] >= FLOORS[here]:
                wrong.append(f"{name}:{line} imports {wanted}: imports go down only")
    assert not wrong, "\n".join(wrong)


def test_each_foreign_library_has_one_door() -> None:
    wrong = [
        f"{name}:{line} imports {wanted}"
        for name, tree in modules()
        for wanted, line in imports(tree)
        for library, door in DOORS.items()
        if within(wanted, (library,)) and not within(name, door)
    ]
    assert not wrong, "\n".join(wrong)


def test_reasoning_has_no_clock_no_randomness_and_opens_no_socket() -> None:
    impure = ("random", "time", "datetime", "socket", "subprocess", "secrets", "uuid")
    wrong = [
        f"{name}:{line} imports {wanted}"
        for name, tree in modules()
        if within(name, ("advisor.reasoning",))
        for wanted, line in imports(tree)
        if within(wanted, impure)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_in_the_source_can_run_foreign_code() -> None:
    wrong = []
    for name, tree in modules():
        for wanted, line in imports(tree):
            if within(wanted, ("pickle", "cloudpickle", "dill", "shelve", "marshal")) or wanted == "joblib.load":
                wrong.append(f"{name}:{line} imports {wanted}")
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in RUNS_CODE or called.endswith((".read_pickle", ".to_pickle", ".get_untrusted_types")):
                wrong.append(f"{name}:{node.lineno} calls {called}")
            if called in ("torch.load", "torch.save"):
                wrong.append(f"{name}:{node.lineno} calls {called}: weights are safetensors")
            for keyword in node.keywords:
                if (
                    keyword.arg in ("allow_pickle", "trust_remote_code", "shell")
                    and ast.unparse(keyword.value) == "True"
                ):
                    wrong.append(f"{name}:{node.lineno} passes {keyword.arg}=True")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["decide", "--help"], ["--print-completion", "bash"]])
def test_help_version_and_completion_load_nothing_heavy(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from advisor.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("LOADED []"), done.stdout[-200:]


def test_no_source_file_is_longer_than_one_sitting() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for package in ("advisor", "trainers")
        for path in (ROOT / package).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    ]
    assert not long, "split these so that each answers one question:\n" + "\n".join(long)


def test_no_two_test_files_share_a_name() -> None:
    """pytest would leave the second of them out of the run with an error."""
    named = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in named.items() if count > 1] == []
