"""The quick look at a text table's lines says the same as the slow one, whatever stands in the file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

import advisor.base.evenlines as evenlines
from advisor.base.errors import BadInput
from advisor.base.sniff import Written

PIECES = ["x", "1", ",", '"', "\n", "\r\n", "\r", " ", "é", "x,y,z\n", "1,2,3\r\n"]
WRITTEN = Written("utf-8", ",", ("a", "b", "c"))


def said(file: Path, limit: int | None) -> str:
    try:
        evenlines.check_lines(file, WRITTEN, limit=limit)
    except BadInput as problem:
        return problem.what
    return ""


@given(
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    pieces=st.lists(st.sampled_from(PIECES), max_size=14),
    limit=st.sampled_from([None, 1, 2]),
)
def test_a_file_that_looks_even_at_once_is_even_cell_by_cell(end: str, pieces: list[str], limit: int | None) -> None:

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "rows.csv"
        file.write_bytes(("a,b,c" + end + "".join(pieces)).encode())
        quick = said(file, limit)
        with patch.object(evenlines, "_is_plainly_even", lambda *_: False):
            assert said(file, limit) == quick
