"""Every test lives in an empty home, offline but for loopback, on a fixed day."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# Hypothesis would fail an example that takes 200 ms by the clock, which a busy machine makes of any.
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")

for name, value in {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PROMPT_TOOLKIT_NO_CPR": "1",
    "TRAIN_OR_NOT_TODAY": "2026-11-22",
}.items():
    os.environ.setdefault(name, value)


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: many tests wait for a terminal, a server or a browser."""
    return round(1.5 * (os.cpu_count() or 1)) or 1


@pytest.fixture(scope="session")
def read_before(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What a second start finds in the user's cache: the shipped rules, read and checked."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    subprocess.run(
        [sys.executable, "-m", "advisor", "explain", "R01"], env=environment, capture_output=True, check=True
    )
    return list((cache / "train-or-not").glob("rulebook-*.json"))


@pytest.fixture(autouse=True)
def quiet_machine(
    read_before: list[Path], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's home, keys or colours leak into a test, and no test leaves this machine."""
    home = tmp_path_factory.mktemp("home")
    (home / ".cache" / "train-or-not").mkdir(parents=True)
    for file in read_before:
        shutil.copy(file, home / ".cache" / "train-or-not")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("TRAIN_OR_NOT_TODAY", "2026-11-22")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "NO_COLOR", "FORCE_COLOR", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)

    connect = socket.socket.connect

    def only_loopback(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in _LOOPBACK:
            raise OSError(f"tests stay on this machine; {host} was asked for")
        connect(self, address)  # type: ignore[arg-type]  # whatever the caller gave

    monkeypatch.setattr(socket.socket, "connect", only_loopback)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets that stand beside a checkout; tests that need one are skipped without it."""
    folder = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"the shared data sets are not here ({folder}); set TRAIN_OR_NOT_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The labelled situations that stand beside a checkout."""
    file = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "cases" / "decision-cases.jsonl"
    if not file.exists():
        pytest.skip(f"the shared cases are not here ({file}); set TRAIN_OR_NOT_SHARED to their folder")
    return file
