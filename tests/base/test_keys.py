"""Which addresses are this machine's own, and which only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.keys import agree, check_agreed, key_for, on_this_machine


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000/v1", "http://127.8.9.1/v1", "http://localhost/v1", "http://LOCALHOST:1/v1", "http://[::1]:8/v1"],
)  # fmt: skip
def test_this_machine_needs_no_key(address: str) -> None:
    assert on_this_machine(address)
    assert key_for(address) == "none"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1.evil.example/v1", "http://127.evil.example/v1", "http://localhost.evil.example/v1",
        "https://evil.example//localhost/v1", "https://evil.example//127.0.0.1/v1", "https://evil.example/[::1]",
        "http://[::1].evil.example/v1", "http://evil.example:80/v1", "http://[bad/v1", "localhost", "http://0.0.0.0/v1",
        "http://127.0.0.1\\.evil.example/v1", "http://[::ffff:8.8.8.8]/v1",
    ],
)  # fmt: skip
def test_an_address_that_only_looks_like_this_machine_is_foreign(address: str) -> None:
    assert not on_this_machine(address)
    with pytest.raises(EnvironmentMissing, match="No key is set"):
        key_for(address)


def test_nobody_agreed_to_an_address_that_a_file_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput) as caught:
        check_agreed("https://models.example/v1")
    assert caught.value.code == "not-agreed"
    assert "TRAIN_OR_NOT_SEND_TO=https://models.example/v1" in caught.value.fix
    check_agreed("http://127.0.0.1:8000/v1")
    monkeypatch.setenv("TRAIN_OR_NOT_SEND_TO", "https://a.example/v1, https://models.example/v1/")
    check_agreed("https://models.example/v1")
    with pytest.raises(BadInput):
        check_agreed("https://models.example/v2")


def test_what_was_agreed_to_once_is_remembered_outside_the_case(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    agree("https://models.example/v1/")
    agree("https://models.example/v1")
    assert (tmp_path / "train-or-not" / "addresses").read_text() == "https://models.example/v1\n"
    check_agreed("https://models.example/v1")
    for near in ("https://models.example/v1.evil", "http://models.example/v1", "https://models.example", "https://"):
        with pytest.raises(BadInput):
            check_agreed(near)
