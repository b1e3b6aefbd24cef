"""A reader sees the old file or the new one, never a part."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import append_line, inside, read_text, write_atomically


def test_a_write_replaces_the_whole_file_and_leaves_no_scrap(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_atomically(path, "old")
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["facts.json"]


def test_a_line_that_only_half_fits_is_told_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    append_line(path, "a" * 990)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(EnvironmentMissing, match="No room"):
            append_line(path, "b" * 100)  # nine bytes go out, and the system calls that a success
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    append_line(path, "c" * 10)
    assert path.read_text().splitlines() == ["a" * 990, "b" * 9, "c" * 10]


def test_a_full_disk_keeps_the_last_good_version(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_atomically(path, "good")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(EnvironmentMissing, match="No room") as raised:
            write_atomically(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert "Free some space" in raised.value.fix
    assert path.read_text() == "good"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_kill_in_the_middle_of_writing_never_leaves_a_torn_file(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from advisor.base.files import write_atomically\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1; write_atomically(Path(sys.argv[1]), str(n % 10) * 200_000)\n"
    )
    path = tmp_path / "state"
    for attempt in range(10):
        path.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", program, str(path)])
        while not path.exists():
            time.sleep(0.005)
        time.sleep(0.003 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        text = path.read_text()
        assert len(text) == 200_000 and len(set(text)) == 1


def test_a_torn_last_line_costs_only_that_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    append_line(path, '{"event": 1}')
    with path.open("a") as stream:
        stream.write('{"event": 2')
    append_line(path, '{"event": 3}')
    assert path.read_text().splitlines() == ['{"event": 1}', '{"event": 2', '{"event": 3}']


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out", "with\0nul", "link/out"])
def test_no_name_leads_outside_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises((BadInput, ValueError)):
        inside(folder, name)


def test_text_that_is_not_utf8_is_told_with_the_command_that_converts_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_bytes("größe: 1".encode("cp1252"))
    with pytest.raises(BadInput, match="not UTF-8") as raised:
        read_text(path)
    assert "iconv" in raised.value.fix


def test_a_file_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/version-of-nothing")
    else:
        tmp_path.chmod(0o500)
        target = tmp_path / "x"
    with pytest.raises(EnvironmentMissing, match="Cannot write"):
        write_atomically(target, "x")
