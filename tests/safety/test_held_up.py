"""Text, files and answers made to take for ever or to fill the memory: the work grows with their length, no faster."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import signal
import threading
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from promises import Figure

from advisor.base.case import Case
from advisor.base.documents import files_below, text_of, text_of_page
from advisor.base.errors import BadInput, Problem
from advisor.base.files import read_text, sha256_of_file
from advisor.base.llm import AttemptFailed, OpenAIDoor
from advisor.base.replies import MAX_BYTES, read_json
from advisor.base.tables import read_chunks, read_table
from advisor.evidence import pdfs
from advisor.evidence.folders import read_folder
from advisor.evidence.personal import KINDS
from trainers.common.lock import locked

SECONDS, MEGABYTES = 60, 1_500  # of processor time and of further memory
MILLION = 1_000_000
PAGES = (
    "<" * MILLION, "<script " * 100_000, "<!--" * 250_000, "<a b='" * 150_000, "</" * 500_000, "<?" * 500_000,
    "&#" * 500_000, "<a " + "b=c " * 250_000, "<a" * 500_000, "<script>" + "</script" * 100_000, "<![" * 300_000,
)  # fmt: skip
ANSWERS = (
    "[" * MILLION, '{"a":' * 200_000, '["' * 400_000, ("[" + "1," * 300) * 3_000, "{" * MILLION, "[[1]," * 200_000,
    '{"a": ' + "9" * 100_000 + "}", "[1e" * 300_000,
)  # fmt: skip
CELLS = (
    "a" * 1_990 + " @", "a@" + "1." * 900, "a@a." * 500, "1" * 2_000, "1-" * 1_000, "(12) " * 400, "+1 " * 600,
    "AB12" + "ABCD " * 300, "12 " * 600, "1.1.1." * 300, "-@" * 1_000,
)  # fmt: skip


class Silent:
    """Progress that nobody watches."""

    def phase(self, text: str) -> None:
        pass

    def step(self, done: float, total: float) -> None:
        pass


def spent(attempt: Callable[[], object], note: Path) -> float:
    """Seconds of processor time in a fork that is ended at the limits. Fails unless it ends in an answer or a cure."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + MEGABYTES * 2**20,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            signal.alarm(300)  # what waits for ever uses no processor time
            with contextlib.suppress(Problem, ValueError):
                attempt()
            code = 0
        except BaseException:
            note.write_text(traceback.format_exc())
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (status, note.read_text() if note.exists() else "held up")
    return used.ru_utime + used.ru_stime


def sparse(path: Path, size: int, start: bytes = b"") -> Path:
    """A file that claims a size and takes no room."""
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(size)
    return path


def far_cell(path: Path) -> Path:
    """A workbook of a kilobyte with one cell in its last row and last column."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active["XFD1048576"] = 1
    book.save(path)
    return path


def swollen_sheet(path: Path, content: Callable[[int], bytes], pieces: int) -> Path:
    """A workbook whose sheet unpacks to many mebibytes."""
    import openpyxl

    plain = path.with_name("plain.xlsx")
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            if name != "xl/worksheets/sheet1.xml":
                made.writestr(name, source.read(name))
        with made.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for number in range(pieces):
                sheet.write(content(number))
    return path


def entities(number: int) -> bytes:
    """The billion laughs, as a sheet."""
    if number:
        return b""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY l0 "ha">{levels}]><worksheet><sheetData>&l9;</sheetData></worksheet>'.encode()


def wide_parquet(path: Path) -> Path:
    """A quarter of a billion equal cells in a file of some kilobytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    column = pa.array([7] * 50_000, pa.int8())
    piece = pa.table({f"c{n}": column for n in range(50)})
    with pq.ParquetWriter(path, piece.schema) as writer:
        for _ in range(100):
            writer.write_table(piece)
    return path


def pdf_of(stream: bytes, pages: int, form: bytes = b"") -> bytes:
    """A PDF whose pages share one compressed content; `form` is an XObject that draws itself."""
    packed, drawn = zlib.compress(stream, 9), zlib.compress(form, 9)
    kids = b" ".join(b"%d 0 R" % (5 + n) for n in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>/Length %d/Filter/FlateDecode>>"
        b"stream\n%s\nendstream" % (len(drawn), drawn),
    ]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 3 0 R/Resources<</XObject<</X 4 0 R>>>>>>"
    objects += [page] * pages
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % p for p in places
    )
    return body + table + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))


def folder_with(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder


def attempts(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    for page in PAGES:
        yield f"page of {page[:8]!r}", lambda page=page: text_of_page(page)
    for answer in ANSWERS:
        yield f"answer of {answer[:8]!r}", lambda answer=answer: read_json(answer)
    for cell in CELLS:
        yield f"cells of {cell[:8]!r}", lambda cell=cell: [holds(cell) for _ in range(30) for holds in KINDS.values()]
    os.mkfifo(folder / "pipe.csv")
    (folder / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        path = folder / name
        yield f"text from {name}", lambda path=path: read_text(path)
        yield f"table from {name}", lambda path=path: read_table(path)
        yield f"hash of {name}", lambda path=path: sha256_of_file(path)
    case = folder / "case"
    case.mkdir()
    (case / "ledger.jsonl").symlink_to("/dev/zero")
    yield "a ledger without an end", Case(case).history
    for name, odd in (("link", Path.symlink_to), ("folder", None), ("pipe", None)):
        runs = folder / f"runs-{name}"
        runs.mkdir()
        if odd is not None:
            (runs / "lock").symlink_to(runs / "nothing")
        elif name == "folder":
            (runs / "lock").mkdir()
        else:
            os.mkfifo(runs / "lock")
        yield f"a lock that is a {name}", lambda runs=runs: locked(runs).__enter__()
    lines = sparse(folder / "line.jsonl", 8 * 2**30, b'{"a": "')
    yield "a line of eight gibibytes", lambda: list(read_chunks(lines))
    yield "its first rows", lambda: read_table(lines, max_rows=10)
    far = far_cell(folder / "far.xlsx")
    yield "a cell at the end of the sheet", lambda: read_table(far)
    swollen = swollen_sheet(folder / "swollen.xlsx", lambda n: bytes(2**20), 1_100)
    yield "a sheet of a gibibyte", lambda: read_table(swollen)
    laughs = swollen_sheet(folder / "laughs.xlsx", entities, 1)
    yield "a sheet of entities", lambda: read_table(laughs)
    wide = wide_parquet(folder / "wide.parquet")
    yield "a quarter of a billion cells", lambda: read_table(wide)
    texts = folder / "texts"
    texts.mkdir()
    sparse(texts / "large.txt", 64 * 2**30, b"text")
    sparse(texts / "large.html", 64 * 2**30, b"<p>text")
    os.mkfifo(texts / "pipe.md")
    (texts / "zero.md").symlink_to("/dev/zero")
    (texts / "plain.md").write_text("plain words")
    yield "a folder of odd documents", lambda: read_folder(texts, Silent())
    images = folder / "images"
    images.mkdir()
    sparse(images / "large.png", 64 * 2**30, b"\x89PNG")
    (images / "small.png").write_bytes(b"\x89PNG small")
    yield "a picture of 64 gibibytes", lambda: read_folder(images, Silent())
    for name, content in (
        ("content", pdf_of(b"(a) Tj " * 8_000_000, 1)),
        ("pages", pdf_of(b"(a) Tj " * 100_000, 3_000)),
        ("form in itself", pdf_of(b"/X Do " * 20, 1, b"/X Do " * 20)),
        ("zeros", pdf_of(bytes(200 * 2**20), 2)),
    ):
        pdfs = folder_with(folder / name, "a.pdf", content)
        yield f"a PDF of much {name}", lambda pdfs=pdfs: read_folder(pdfs, Silent())


@pytest.mark.heavy
def test_nothing_foreign_holds_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    import openpyxl  # noqa: F401  loaded once, before the forks
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    monkeypatch.setattr(pdfs, "SECONDS", 5.0)
    used = {name: spent(attempt, tmp_path / "note") for name, attempt in attempts(tmp_path)}
    worst = max(used, key=lambda name: used[name])
    told = f"0 of {len(used)}; worst {used[worst]:.1f} s of processor time ({worst})"
    figure(27, "texts and files that held it up", told)


class Flood:
    """A server on loopback whose answers are larger than they seem, or than anyone asked for."""

    def __init__(self, how: str) -> None:
        answer = b'{"choices": [{"message": {"content": "' + b"a" * (64 * 2**20) + b'"}}]}'
        self.headers = {"Content-Type": "application/json"}
        if how == "gzip":
            answer = gzip.compress(answer, 1)
            self.headers |= {"Content-Encoding": "gzip"}
        if how == "deflate":
            answer = zlib.compress(answer, 1)
            self.headers |= {"Content-Encoding": "deflate"}
        if how != "without a length":
            self.headers |= {"Content-Length": str(len(answer))}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self) -> Flood:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_an_answer_is_never_larger_than_is_taken(figure: Figure) -> None:
    floods = ("with a length", "without a length", "gzip", "deflate")
    for how in floods:
        with Flood(how) as server, pytest.raises(AttemptFailed) as caught:
            OpenAIDoor("m", server.url).complete([{"role": "user", "content": "hi"}], max_tokens=5)
        assert f"{MAX_BYTES:,} bytes" in caught.value.what or "compressed" in caught.value.what
        assert not caught.value.retry
        assert caught.value.billed
    figure(27, "answers of a server taken whole", f"0 of {len(floods)} of 64 MB, packed or not")


def test_links_out_of_a_folder_of_documents_are_not_read(tmp_path: Path) -> None:
    """Passages are sent to a model server: a link in a folder from elsewhere must not choose what is sent."""
    from trainers.climb.retrieval import read_folder as passages_of

    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key.md").write_text("my private key")
    folder = tmp_path / "documents"
    (folder / "sub").mkdir(parents=True)
    (folder / "mine.md").write_text("# Mine\n\nplain words")
    (folder / "key.md").symlink_to(tmp_path / "private" / "key.md")
    (folder / "sub" / "private").symlink_to(tmp_path / "private")
    (folder / ".hidden.md").write_text("hidden words")
    assert [path.name for path in files_below(folder, (".md",))] == ["mine.md"]
    assert [passage.document for passage in passages_of(folder)] == ["mine.md"]


def test_a_page_is_read_as_a_person_sees_it(tmp_path: Path) -> None:
    page = "<h1>Pumps &amp; more</h1><script>x = '<p>'</script><p>Clean<b>ly</b></p><!-- <p>no --><table><td>1<td>2"
    assert [part for part in text_of_page(page).split("\n\n") if part] == ["# Pumps & more", "Cleanly 1 2"]
    (tmp_path / "a.html").write_text(page)
    assert text_of(tmp_path / "a.html") == text_of_page(page)


def test_a_pipe_that_the_user_names_is_read(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"words")
    os.close(write)
    assert read_text(Path(f"/dev/fd/{read}")) == "words"
    os.close(read)
    with pytest.raises(BadInput, match="pipe or a device"):
        os.mkfifo(tmp_path / "pipe")
        read_text(tmp_path / "pipe")
