"""A folder of tables is read as one, whatever its files are called; what does not fit together is told by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.base.errors import BadInput
from advisor.base.tablefolder import sha256_of_rows
from advisor.base.tables import read_chunks, read_table
from advisor.evidence.look import look_at


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_rows_of_all_files_stand_one_after_the_other_by_name(tmp_path: Path) -> None:
    files = {"b.csv": "y,x\nno,3\n", "a.csv": "x,y\n1,yes\n2,no\n", "c.csv": "x,y\n4,no\n"}
    folder = write(tmp_path / "data", {**files, "old/a.csv": "z\n9\n"})
    table = read_table(folder)
    assert table.frame.to_dict("list") == {"x": [1, 2, 3, 4], "y": ["yes", "no", "no", "no"]}
    assert table.files == (("a.csv", 2), ("b.csv", 1), ("c.csv", 1))
    assert "3 files of data are read as one: a.csv, b.csv, c.csv." in table.notes
    assert read_table(folder, max_rows=3).frame["x"].tolist() == [1, 2, 3]
    assert not read_table(folder, max_rows=3).whole
    with pytest.raises(BadInput, match="is a folder, and one file is read here"):
        list(read_chunks(folder))


def test_a_column_is_read_alike_in_every_file(tmp_path: Path) -> None:
    """As in one file: where 007 stands as text once, 7 is text too."""
    folder = write(tmp_path / "data", {"a.csv": "id,n\n007,1\n", "b.csv": "id,n\nx9,\n", "c.csv": "id,n\n8,2\n"})
    assert read_table(folder).frame["id"].tolist() == ["007", "x9", "8"]
    assert read_table(folder).frame["n"].dtype == float


def test_files_with_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", {"a.csv": "x,y\n1,yes\n", "b.csv": "x,z\n1,2\n"})
    with pytest.raises(BadInput, match=r"b\.csv lacks y, which a\.csv has") as refused:
        read_table(folder)
    assert refused.value.where == str(folder / "b.csv")
    commas = write(tmp_path / "commas", {"a.csv": "x;y\n1,5;a\n2,5;b\n", "b.csv": "x,y\n3.5,a\n"})
    assert read_table(commas).frame["x"].tolist() == [1.5, 2.5, 3.5]
    with pytest.raises(BadInput, match=r"b\.csv writes 1\.5 where a\.csv writes 1,5"):
        read_table(commas, as_written=True)
    lines = write(tmp_path / "lines", {"a.jsonl": '{"x": 1}\n', "b.jsonl": '{"x": 2, "y": "told"}\n'})
    assert read_table(lines).frame["y"].fillna("").tolist() == ["", "told"]


def test_a_change_in_any_file_its_name_or_their_number_is_seen(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", {"a.csv": "x\n1\n", "b.csv": "x\n2\n", "README.md": "ours"})
    seen = [sha256_of_rows(folder)]
    write(folder, {"README.md": "theirs"})
    assert sha256_of_rows(folder) == seen[0]
    write(folder, {"b.csv": "x\n3\n"})
    seen.append(sha256_of_rows(folder))
    (folder / "b.csv").rename(folder / "c.csv")
    seen.append(sha256_of_rows(folder))
    (folder / "c.csv").unlink()
    assert len({*seen, sha256_of_rows(folder)}) == 4
    assert sha256_of_rows(write(tmp_path / "texts", {"a.md": "words"})) == ""


def test_a_look_reads_tables_where_the_folder_holds_most_of_them(tmp_path: Path) -> None:
    rows = "".join(f"{number},{'yes' if number % 3 else 'no'}\n" for number in range(30))
    folder = write(tmp_path / "data", {"a.csv": f"x,y\n{rows}", "b.csv": f"x,y\n{rows}", "README.md": "Two exports."})
    look = look_at(folder, only=["P201"])
    assert look.shape == (60, 2)
    assert look.sha256 == sha256_of_rows(folder)
    texts = write(tmp_path / "texts", {"index.csv": "x\n1\n", "a.md": "first words", "b.md": "more words"})
    assert look_at(texts).format == "documents"


def test_a_broken_conversation_is_told_with_its_file_and_its_row_there(tmp_path: Path) -> None:
    good = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n'
    folder = write(tmp_path / "data", {"a.jsonl": good * 3, "b.jsonl": good + '{"messages": [{"role": "user"}]}\n'})
    with pytest.raises(BadInput) as refused:
        look_at(folder)
    assert refused.value.where == f"{folder / 'b.jsonl'}:2"


def test_a_case_is_not_taken_for_its_data(tmp_path: Path) -> None:
    case = write(tmp_path / "case", {"ledger.jsonl": "{}\n", "rows.csv": "x\n1\n"})
    with pytest.raises(BadInput, match="is a case, and holds more than its data"):
        read_table(case)
