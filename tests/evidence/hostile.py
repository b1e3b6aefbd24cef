"""Sixty files that nobody should be able to break a look with, each made on the spot.

`ends` is what a look must end in: "looked" (it can be read, oddities told), or the code of the error that says why not.
"""

# ruff: noqa: E501  (one hostile file a line reads better than one wrapped over four)
from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GOOD = "age,city,income,label\n" + "".join(
    f"{20 + n % 50},town {n % 7},{1000 + 37 * n % 900},{n % 2}\n" for n in range(120)
)


@dataclass(frozen=True)
class Hostile:
    """One file: its name, its bytes, the target to look with, and how the look must end."""

    name: str
    content: bytes | Callable[[Path], None]
    ends: str | tuple[str, ...]
    target: str = "label"

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        if callable(self.content):
            self.content(path)
        else:
            path.write_bytes(self.content)
        return path


def _rows(header: str, line: Callable[[int], str], count: int = 120) -> bytes:
    return (header + "\n" + "".join(line(n) + "\n" for n in range(count))).encode()


def _sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"a,b,label\n1,2,0\n")
        stream.truncate(10 * 2**30)


def _xlsx_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 20_000_000)


def _pipe(path: Path) -> None:
    os.symlink("/nowhere/at/all.csv", path)


def _deep_json(path: Path) -> None:
    path.write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + ', "label": 1}\n')


def files() -> list[Hostile]:
    """All of them."""
    text = GOOD
    found = [
        Hostile("plain.csv", text.encode(), "looked"),
        Hostile("bom.csv", text.encode("utf-8-sig"), "looked"),
        Hostile("utf16.csv", text.encode("utf-16"), "looked"),
        Hostile("utf16-no-mark.csv", text.encode("utf-16-le"), "looked"),
        Hostile("latin.csv", text.replace("town", "Köln").encode("cp1252"), "looked"),
        Hostile("mixed-encoding.csv", text.encode() + "30,Köln,1,0\n".encode("cp1252") + "31,Köln,1,1\n".encode(), "looked"),
        Hostile("semicolon.csv", text.replace(",", ";").encode(), "looked"),
        Hostile("tab.tsv", text.replace(",", "\t").encode(), "looked"),
        Hostile("bar.csv", text.replace(",", "|").encode(), "looked"),
        Hostile("crlf.csv", text.replace("\n", "\r\n").encode(), "looked"),
        Hostile("old-mac.csv", text.replace("\n", "\r").encode(), ("looked", "no-rows", "no-target", "bad-newlines")),
        Hostile("decimal-comma.csv", _rows("a;label", lambda n: f"{n},5;{n % 2}"), "looked"),
        Hostile("no-newline-at-end.csv", text.rstrip("\n").encode(), "looked"),
        Hostile("blank-lines.csv", text.replace("\n", "\n\n").encode(), "looked"),
        Hostile("blank-first.csv", b"\n\n" + text.encode(), "no-header"),
        Hostile("empty.csv", b"", "empty"),
        Hostile("one-byte.csv", b"a", ("no-rows", "no-target")),
        Hostile("only-newlines.csv", b"\n\n\n\n", "no-header"),
        Hostile("header-only.csv", b"age,city,label\n", "no-rows"),
        Hostile("one-row.csv", b"age,city,label\n1,2,3\n", "one-class"),
        Hostile("one-column.csv", _rows("label", lambda n: str(n % 2)), "looked"),
        Hostile("ragged-short.csv", text.encode() + b"1,2\n", "ragged-row"),
        Hostile("ragged-long.csv", text.encode() + b"1,2,3,4,5,6\n", "ragged-row"),
        Hostile("return-in-a-cell.csv", text.encode() + b"9,on one\ron two,1\n" + text.encode(), "ragged-row"),
        Hostile("open-quote.csv", text.encode() + b'9,"never closed,1,0\n' + text.encode(), ("ragged-row", "broken-quote")),
        Hostile("quoted-newlines.csv", _rows("a,label", lambda n: f'"line {n}\nnext",{n % 2}'), "looked"),
        Hostile("nul.csv", text.encode().replace(b"town", b"to\0wn"), "not-a-table"),
        Hostile("binary.csv", bytes(range(256)) * 400, "not-a-table"),
        Hostile("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(2000), "not-a-table"),
        Hostile("pickle.csv", b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix", "not-a-table"),
        Hostile("zip.csv", b"PK\x03\x04" + bytes(500), "not-a-table"),
        Hostile("gzip.csv", b"\x1f\x8b" + bytes(500), "not-a-table"),
        Hostile("twice-the-name.csv", _rows("a,a,label", lambda n: f"{n},{n},{n % 2}"), "duplicate-columns"),
        Hostile("no-names.csv", _rows(",,label", lambda n: f"{n},{n * 2},{n % 2}"), "looked"),
        Hostile("markup-header.csv", _rows("[/red],[bold]x,label", lambda n: f"{n},{n * 2},{n % 2}"), "looked"),
        Hostile("escape-header.csv", _rows("\x1b[2Ja,\u202eevil,label", lambda n: f"{n},x\x1b]8;;http://x\x07,{n % 2}"), "looked"),
        Hostile("formula-header.csv", _rows("=cmd|' /C calc'!A0,label", lambda n: f"=1+{n},{n % 2}"), "looked"),
        Hostile("html-header.csv", _rows("<script>alert(1)</script>,label", lambda n: f"<img src=x>{n % 3},{n % 2}"), "looked"),
        Hostile("long-name.csv", _rows("x" * 50_000 + ",label", lambda n: f"{n},{n % 2}"), "looked"),
        Hostile("long-cell.csv", _rows("a,label", lambda n: f"{'y' * 200_000 if n == 5 else n},{n % 2}"), "looked"),
        Hostile("huge-cell.csv", _rows("a,label", lambda n: f"{'y' * 3_000_000 if n == 5 else n},{n % 2}"), "large-cell"),
        Hostile("million-columns.csv", (",".join(f"c{n}" for n in range(1_000_000)) + "\n").encode() + b"1," * 999_999 + b"1\n", "too-many-columns"),
        Hostile("six-thousand-columns.csv", (",".join(f"c{n}" for n in range(6000)) + "\n").encode(), "too-many-columns"),
        Hostile("two-thousand-columns.csv", _rows(",".join(f"c{n}" for n in range(2000)) + ",label", lambda n: ",".join(str((n * 7 + c) % 11) for c in range(2000)) + f",{n % 2}", 60), "looked"),
        Hostile("one-class.csv", _rows("a,label", lambda n: f"{n},yes"), "one-class"),
        Hostile("all-missing-target.csv", _rows("a,label", lambda n: f"{n},"), "empty-target"),
        Hostile("target-mostly-missing.csv", _rows("a,label", lambda n: f"{n},{n % 2 if n < 4 else ''}"), "looked"),
        Hostile("target-words-and-numbers.csv", _rows("a,label", lambda n: f"{n},{'none of these' if n % 3 else n}"), "looked"),
        Hostile("rare-class.csv", _rows("a,label", lambda n: f"{n},{'rare' if n == 50 else 'usual'}"), "looked"),
        Hostile("infinite.csv", _rows("a,b,label", lambda n: f"{'inf' if n == 3 else n},{'-Infinity' if n % 5 == 0 else n},{n % 2}"), "looked"),
        Hostile("infinite-target.csv", _rows("a,label", lambda n: f"{n},{'inf' if n == 3 else n * 1.5}"), "looked"),
        Hostile("huge-numbers.csv", _rows("a,label", lambda n: f"{10**300 + n}1e308,{n % 2}" if n % 2 else f"1e308,{n % 2}"), "looked"),
        Hostile("all-missing-features.csv", _rows("a,b,label", lambda n: f",,{n % 2}"), "looked"),
        Hostile("every-row-a-class.csv", _rows("a,label", lambda n: f"{n % 3},class {n}"), "looked"),
        Hostile("target-is-text.csv", _rows("a,label", lambda n: f"{n % 3},a long sentence with its own words {n} and {n * n}"), "looked"),
        Hostile("country-na.csv", _rows("country,label", lambda n: f"{'NA' if n % 4 else 'DE'},{n % 2}"), "looked"),
        Hostile("dates-in-every-way.csv", _rows("d,label", lambda n: f"{['2024-01-31', '31.01.2024', '31 Jan 2024', '99/99/9999'][n % 4]},{n % 2}"), "looked"),
        Hostile("unknown-target.csv", text.encode(), "no-target", "lable"),
        Hostile("bad.jsonl", b'{"a": 1, "label": 0}\n{"a": 2,\n', "bad-json"),
        Hostile("deep.jsonl", _deep_json, ("bad-json", "looked", "one-class")),
        Hostile("list.json", json.dumps([1, 2, 3]).encode(), "bad-json"),
        Hostile("bad-messages.jsonl", b'{"messages": "hello"}\n' * 5, "bad-messages", ""),
        Hostile("broken.xlsx", b"PK\x03\x04 not really", ("bad-excel", "reader-missing")),
        Hostile("bomb.xlsx", _xlsx_bomb, ("bad-excel", "reader-missing")),
        Hostile("broken.parquet", b"PAR1" + bytes(100), ("bad-parquet", "reader-missing")),
        Hostile("ten-gigabytes-of-nothing.csv", _sparse, "not-a-table"),
        Hostile("dangling-link.csv", _pipe, "no-file"),
    ]  # fmt: skip
    assert len({case.name for case in found}) == len(found)
    return found
