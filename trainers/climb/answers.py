"""Answers that were paid for, and every attempt to get one, on disk: a killed run neither pays twice nor forgets.

An attempt is written down before it is made, with the most that it can cost. One that a kill cut off stays at that:
nobody can tell what the server did with it. So a cap holds over all climbs of a case, however they ended.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from advisor.base.files import inside, own_folder, sha256_of_text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to one question, what it took, and whether the usage was told or reckoned.

    `weights` are the log-probabilities of the options, where it was asked to choose and its server tells them.
    """

    text: str
    tokens_in: int
    tokens_out: int
    usd: str
    seconds: float
    model: str = ""
    usage_told: bool = True
    finish: str = ""
    weights: tuple[float, ...] = ()


class AnswerStore:
    """Answers by the hash of everything that was asked. One writer at a time; readers never wait."""

    def __init__(self, path: Path) -> None:
        inside(own_folder(path.parent), path.name)  # neither the folder nor the file may be a link that leads away
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=60)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE IF NOT EXISTS answers (asked TEXT PRIMARY KEY, answer TEXT NOT NULL)")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS attempts "
            "(number INTEGER PRIMARY KEY, usd TEXT NOT NULL, tokens INTEGER NOT NULL)"
        )

    @staticmethod
    def key(*parts: object) -> str:
        """The hash of a question: endpoint, model, messages, options."""
        return sha256_of_text(json.dumps(parts, sort_keys=True, ensure_ascii=False))

    def get(self, key: str) -> Answer | None:
        """The stored answer, or None."""
        with self._lock:
            row = self._database.execute("SELECT answer FROM answers WHERE asked = ?", (key,)).fetchone()
        if row is None:
            return None
        told = json.loads(row[0])
        return Answer(**{**told, "weights": tuple(told.get("weights", ()))})

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer before anyone acts on it."""
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(asdict(answer), ensure_ascii=False))
            )

    def attempt(self, usd: Decimal, tokens: int) -> int:
        """Write down an attempt at the most it can cost, before it is made; returns its number."""
        with self._lock:
            written = self._database.execute("INSERT INTO attempts (usd, tokens) VALUES (?, ?)", (str(usd), tokens))
        return int(written.lastrowid or 0)

    def settle(self, number: int, usd: Decimal, tokens: int) -> None:
        """Put what an attempt did cost in the place of the most it could."""
        with self._lock:
            self._database.execute(
                "UPDATE attempts SET usd = ?, tokens = ? WHERE number = ?", (str(usd), tokens, number)
            )

    def spent(self) -> tuple[Decimal, int]:
        """USD and tokens of every attempt so far, over all climbs that used this store."""
        with self._lock:
            rows = self._database.execute("SELECT usd, tokens FROM attempts").fetchall()
        return sum((Decimal(usd) for usd, _ in rows), Decimal(0)), sum(tokens for _, tokens in rows)

    def close(self) -> None:
        """Release the file."""
        self._database.close()
