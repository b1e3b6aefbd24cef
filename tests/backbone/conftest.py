"""What both ways with a saved image model are tested with: small networks beside it that learn for a moment."""

from __future__ import annotations

import pytest

from trainers.common.policy import policy


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy("scratch")["stop"], "rounds", 3)
    monkeypatch.setitem(policy("scratch")["network"], "channels", 4)
    monkeypatch.setitem(policy("backbone")["small"], "side", 16)
    monkeypatch.setitem(policy("backbone"), "piece", 16)
