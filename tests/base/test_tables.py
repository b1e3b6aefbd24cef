"""Tables from strangers: read as they were meant, or refused in one sentence with a cure."""

from __future__ import annotations

import datetime
import decimal
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.tables import read_chunks, read_table
from advisor.base.textnumbers import numbers_in

ROWS = "name,age,city\nAda,36,Köln\nGrace,85,São Paulo\nAlan,41,Zürich\n"


def write(folder: Path, content: str | bytes, name: str = "table.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_every_usual_encoding_gives_the_same_table_and_is_told(tmp_path: Path, encoding: str, told: str) -> None:
    table = read_table(write(tmp_path, ROWS, encoding=encoding))
    assert table.frame["city"].tolist() == ["Köln", "São Paulo", "Zürich"]
    assert list(table.frame.columns) == ["name", "age", "city"]
    assert table.encoding == told
    assert any("Windows-1252" in note for note in table.notes) == (encoding == "cp1252")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    table = read_table(write(tmp_path, ROWS.replace(",", delimiter)))
    assert table.delimiter == delimiter
    assert table.frame.shape == (3, 3)


def test_decimal_commas_are_numbers_when_semicolons_separate(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a;b\n1,5;x\n-2,25;y\n"))
    assert table.frame["a"].tolist() == [1.5, -2.25]
    assert any("decimal comma" in note for note in table.notes)


def test_commas_inside_quotes_do_not_separate(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'text,label\n"one, two",a\n"three\nfour; five",b\n'))
    assert table.frame["text"].tolist() == ["one, two", "three\nfour; five"]


def test_one_column_alone_is_a_table(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "value\n1\n2\n")).frame["value"].tolist() == [1, 2]


def test_namibia_does_not_vanish(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "country,income\nNA,1\nDE,NA\nFR,3\n"))
    assert table.frame["country"].tolist() == ["NA", "DE", "FR"]
    assert table.frame["income"].isna().tolist() == [False, True, False]
    assert any("kept as text in: country" in note for note in table.notes)
    assert any("missing in columns of numbers: income" in note for note in table.notes)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "empty", "is empty"),
        (b"a,b\n", "no-rows", "a header and no rows"),
        (b"\n\na,b\n1,2\n", "no-header", "blank"),
        (b"a,b\n1,2\n1,\x00\n", "not-a-table", "NUL byte at byte 10"),
        (b"\x80\x04\x95\x10\x00\x00\x00", "not-a-table", "pickle"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not-a-table", "an image"),
        (b"a,a,b\n1,2,3\n", "duplicate-columns", "two columns of the same name: a"),
        (b"a,b\n1,2\n3,4,5\n", "ragged-row", "Line 3 of table.csv has 3 cells; the header has 2"),
        (b"a,b,c\n1,2,3\n4,5\n6,7,8\n", "ragged-row", "Line 3 of table.csv has 2 cells; the header has 3"),
        (b"a,b\n1,2,3\n4,5,6\n", "ragged-row", "Line 2 of table.csv has 3 cells"),
    ],
)
def test_what_cannot_be_a_table_is_refused_with_its_place(tmp_path: Path, content: bytes, code: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_table(write(tmp_path, content))
    assert caught.value.code == code
    assert says in caught.value.what
    assert caught.value.fix


def test_a_carriage_return_inside_a_cell_is_told_from_a_short_line(tmp_path: Path) -> None:
    for content, returned in ((b"a,b,c\n1,2,3\n4,one\rtwo,6\n", True), (b"a,b,c\r\n1,2,3\r\n4,5\r\n", False)):
        with pytest.raises(BadInput) as caught:
            read_table(write(tmp_path, content))
        assert caught.value.code == "ragged-row" and ("carriage return" in caught.value.fix) == returned


def test_a_quote_never_closed_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_table(write(tmp_path, 'a,b\n1,"2\n3,4\n'))
    assert caught.value.code == "broken-quote"
    assert "quote" in caught.value.fix


def test_a_zip_named_csv_is_told_for_what_it_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "table.csv", "w") as archive:
        archive.writestr("inner.csv", ROWS)
    with pytest.raises(BadInput, match="a zip archive"):
        read_table(tmp_path / "table.csv")


def test_a_million_columns_are_refused_before_anything_is_parsed(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(1_000_000))
    with pytest.raises(BadInput) as caught:
        read_table(write(tmp_path, f"{header}\n"))
    assert caught.value.code == "too-many-columns"
    assert "at least 538,177 columns; at most 5,000" in caught.value.what  # as many as fit in a header of 4 MiB


def test_ten_sparse_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, ROWS)
    with path.open("r+b") as stream:
        stream.truncate(10 * 2**30)
    with pytest.raises(BadInput) as caught:
        read_table(path)
    assert caught.value.code == "too-large"
    with pytest.raises(BadInput, match="NUL"):
        read_table(path, max_rows=2)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(BadInput, match="is a folder"):
        read_table(tmp_path)


def test_the_first_rows_are_the_first_rows_and_it_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "n\n" + "\n".join(map(str, range(100))) + "\n")
    table = read_table(path, max_rows=10)
    assert table.frame["n"].tolist() == list(range(10))
    assert not table.whole
    assert table.notes == ("Only the first 10 rows were read.",)
    assert read_table(path, max_rows=100).whole


def test_pieces_together_are_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path, "n,s\n" + "".join(f"{n},x{n}\n" for n in range(25)))
    pieces = [piece.frame for piece in read_chunks(path, rows=10)]
    assert [len(piece) for piece in pieces] == [10, 10, 5]
    pd.testing.assert_frame_equal(pd.concat(pieces), read_table(path).frame)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("rows.jsonl", '{"a": 1}\n{"a": 2, "b": 1, "a": 3}\n', ":2"),
        ("rows.jsonl", '{"a": 1}\n{"a": [{"b": 1, "b": 1}]}\n', ":2"),
        ("rows.json", '[{"a": 1}, {"a": 2, "a": 3}]', ""),
    ],
)
def test_a_key_that_stands_twice_in_a_row_of_json_is_refused_as_two_columns_of_one_name_are(
    name: str, text: str, line: str, tmp_path: Path
) -> None:
    path = write(tmp_path, text, name)
    for read in (read_table, lambda path: list(read_chunks(path))):
        with pytest.raises(BadInput, match=r"the key '[ab]' stands twice") as caught:
            read(path)
        assert caught.value.code == "duplicate-columns"
        assert caught.value.where.endswith(f"{name}{line}")


def test_json_lines_are_a_table_and_a_broken_line_has_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1, "b": [1, 2]}\n\n{"a": 2}\n', "rows.jsonl")
    table = read_table(path)
    assert table.frame["a"].tolist() == [1, 2]
    assert table.frame["b"][0] == "[1, 2]"
    with pytest.raises(BadInput) as caught:
        read_table(write(tmp_path, '{"a": 1}\n{"a": \n', "rows.jsonl"))
    assert caught.value.where.endswith("rows.jsonl:2")


def test_a_parquet_file_is_read_or_names_the_package_it_needs(tmp_path: Path) -> None:
    path = write(tmp_path, b"PAR1 and then nothing that Parquet would write PAR1", "rows.parquet")
    with pytest.raises((BadInput, EnvironmentMissing)) as caught:
        read_table(path)
    assert caught.value.code in ("bad-parquet", "reader-missing")
    assert "CSV" in caught.value.fix


def test_a_blank_column_name_gets_one_by_its_place(tmp_path: Path) -> None:
    assert list(read_table(write(tmp_path, ",a\n0,1\n1,2\n")).frame.columns) == ["column 1", "a"]


def test_numbers_with_blanks_are_numbers_and_words_are_not(shared_data: Path) -> None:
    telco = read_table(shared_data / "telco_churn" / "data.csv").frame
    charges = numbers_in(telco["TotalCharges"])
    assert charges is not None
    assert int(charges.isna().sum()) == 11
    assert numbers_in(telco["Contract"]) is None
    assert numbers_in(telco["customerID"]) is None


def test_every_shared_table_is_read_whole(shared_data: Path) -> None:
    for folder in ("adult", "wine_quality", "elec2_drift", "tweet_emotion"):
        path = next((shared_data / folder).glob("data.*"))
        rows = len(path.read_text(encoding="utf-8").splitlines()) - (path.suffix == ".csv")
        assert len(read_table(path).frame) == rows


def test_yes_and_no_with_a_gap_is_read_and_not_a_crash(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path, "n,flag\n1,True\n2,\n3,False\n")).frame
    assert frame["flag"].tolist()[::2] == [True, False]
    assert bool(frame["flag"].isna()[1])


def test_every_kind_of_cell_that_parquet_has_becomes_a_usual_one(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    days = [datetime.date(2024, 1, 31), None, datetime.date(2024, 2, 1)]
    given = pd.DataFrame(
        {
            "flag": [True, None, False],
            "day": days,
            "price": [decimal.Decimal("1.25"), None, decimal.Decimal("2.50")],
            "city": pd.Categorical(["Köln", None, "Lyon"]),
            "size": pd.Categorical([1, 2, 1]),
            "tags": [["a", "b"], None, []],
            "parts": [{"wheels": "four"}, {"wheels": "two"}, None],
            "clock": [datetime.time(9, 30), None, datetime.time(10)],
            "took": pd.to_timedelta([60, 90, None], unit="s"),
        }
    )
    given.to_parquet(tmp_path / "rows.parquet")
    table = read_table(tmp_path / "rows.parquet")
    frame = table.frame
    assert frame["flag"].tolist()[::2] == [True, False]
    assert frame["day"].dt.day.tolist()[::2] == [31, 1]
    assert frame["price"].tolist()[::2] == [1.25, 2.5]
    assert frame["city"].fillna("none").tolist() == ["Köln", "none", "Lyon"]
    assert frame["size"].tolist() == [1, 2, 1]
    assert frame["tags"].tolist()[::2] == ['["a", "b"]', "[]"]
    assert frame["parts"][0] == '{"wheels": "four"}'
    assert frame["took"].tolist()[:2] == [60.0, 90.0]
    assert frame["tags"].nunique() == 2  # every cell can be counted
    assert any("JSON text in: tags, parts" in note for note in table.notes)
    assert any("as seconds in: took" in note for note in table.notes)
    pieces = pd.concat([piece.frame for piece in read_chunks(tmp_path / "rows.parquet", rows=2)])
    assert pieces["parts"].tolist()[0] == '{"wheels": "four"}'
