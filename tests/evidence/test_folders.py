"""Folders as a user has them: images by class, documents of every kind, and tables that are not CSV."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pandas as pd
import pytest

from advisor.base.errors import BadInput
from advisor.base.tables import read_table
from advisor.evidence.look import look_at
from advisor.evidence.reading import standard_input
from advisor.records.look import Look


def pdf(text: str) -> bytes:
    """A PDF of one page, written by hand; without text it is what a scanner makes."""
    lines = " ".join(f"({line}) Tj T*" for line in text.split("\n"))
    page = f"BT /F1 11 Tf 50 780 Td 14 TL {lines} ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>> >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    content, starts = b"%PDF-1.4\n", []
    for number, text_of in enumerate(objects, start=1):
        starts.append(len(content))
        content += f"{number} 0 obj\n{text_of}\nendobj\n".encode()
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF"
    return content + end.encode()


def told(look: Look) -> dict[str, object]:
    return {fact.name: fact.value for fact in look.facts}


def outcomes(look: Look) -> dict[str, str]:
    return {finding.code: finding.outcome for finding in look.pitfalls}


def test_images_are_counted_by_the_subfolder_that_names_their_class(tmp_path: Path) -> None:
    for name, count in (("cat", 60), ("dog", 40), ("bird", 5)):
        (tmp_path / name).mkdir()
        for number in range(count):
            (tmp_path / name / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + f"{name}{number}".encode())
    for number in range(6):
        shutil.copy(tmp_path / "cat" / f"{number}.png", tmp_path / "dog" / f"again{number}.png")
    (tmp_path / "cat" / "letter.png").write_bytes(b"not an image")
    look = look_at(tmp_path)
    facts = told(look)
    assert (facts["modality"], facts["n_rows"], facts["n_classes"], facts["min_per_class"]) == ("image", 111, 3, 5)
    assert facts["task_type"] == "classify" and look.task == "multiclass"
    assert [outcomes(look)[code] for code in ("P201", "P203", "P302")] == ["issue"] * 3
    assert "cat/letter.png" in look.notes[0]
    assert look.split.kind == "stratified" and "Copies" in look.split.reason


def test_documents_of_every_kind_are_read_and_what_cannot_be_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sub").mkdir()
    clauses = "\n".join(
        f"Clause {number}: goods of kind {number * 7} go back within {number} days." for number in range(9)
    )
    (tmp_path / "returns.pdf").write_bytes(pdf(f"Returns policy\n{clauses}"))
    (tmp_path / "scan.pdf").write_bytes(pdf(""))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing follows")
    (tmp_path / "sub" / "help.md").write_text("# Help\n\nWrite to anna@example.org or call +49 170 1234567.\n")
    (tmp_path / "sub" / "page.html").write_text("<p>Clean the <b>filter</b> &amp; the pump.</p><script>x = 1</script>")
    (tmp_path / "notes.txt").write_bytes("Die Pumpe läuft nach dem Spülen weiter.".encode("cp1252"))
    (tmp_path / ".hidden.md").write_text("not for reading")
    look = look_at(tmp_path)
    assert (told(look)["modality"], told(look)["n_rows"]) == ("text", 4)
    assert isinstance(tokens := told(look)["knowledge_tokens"], int) and 120 < tokens < 200
    assert "broken.pdf" in look.notes[0] and "scan.pdf" in look.notes[0]
    personal = next(finding for finding in look.pitfalls if finding.code == "P601")
    assert "e-mail" in personal.text and "telephone" in personal.text and "anna" not in personal.text
    assert capfd.readouterr().err == "", "a reader's own warnings must not reach the screen"


def test_a_folder_with_nothing_to_read_says_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "program.exe").write_bytes(b"MZ")
    with pytest.raises(BadInput, match="no documents and no images") as found:
        look_at(tmp_path)
    assert ".pdf" in found.value.why and found.value.fix


@pytest.mark.parametrize("kind", ["parquet", "xlsx", "jsonl", "pipe"])
def test_every_way_to_hand_over_a_table_gives_the_same_facts(kind: str, tmp_path: Path) -> None:
    rows = pd.DataFrame({
        "age": [20 + n * 7 % 50 for n in range(120)],
        "plan": ["basic" if n % 3 else "plus" for n in range(120)],
        "joined": [f"2024-{n % 12 + 1:02d}-01" for n in range(120)],
        "churned": ["yes" if n % 4 == 0 else "no" for n in range(120)],
    })  # fmt: skip
    written = tmp_path / "rows.csv"
    rows.to_csv(written, index=False)
    wanted = told(look_at(written, "churned"))
    path = tmp_path / f"table.{kind}"
    if kind == "pipe":
        with standard_input(io.BytesIO(written.read_bytes())) as piped:
            found = told(look_at(piped, "churned"))
    else:
        {"parquet": rows.to_parquet, "xlsx": lambda p: rows.to_excel(p, index=False)}.get(
            kind, lambda p: rows.to_json(p, orient="records", lines=True)
        )(path)
        found = told(look_at(path, "churned"))
    assert found == wanted


def test_a_cell_of_a_million_characters_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("text,label\n" + "".join(f"{'y' * (2_000_000 if n == 5 else 3)},{n % 2}\n" for n in range(40)))
    with pytest.raises(BadInput, match="2,000,000 characters") as found:
        read_table(path)
    assert found.value.code == "large-cell" and found.value.where.endswith("row 6")
