"""Which addresses are this machine's own, and which only look like it."""

from __future__ import annotations

import pytest

from advisor.base.errors import EnvironmentMissing
from advisor.base.keys import key_for, on_this_machine


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
