"""A snapshot's files: the same bytes for the same content, nothing from outside, and text that means harm stays text."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pypdf
import pytest

from dashboard.exports import DANGEROUS, PLAIN_NUMBER
from dashboard.snapshot.compose import LEFT_OUT, SHOWN, About, Part, compose, listing
from dashboard.snapshot.content import Audience, Content, Kind, Made, Section, plain, running_line, sha256
from dashboard.snapshot.files import Files, checked_drawings, every_file, file_name
from dashboard.snapshot.glyphs import BOX, covers, showable
from dashboard.snapshot.html import html_file
from dashboard.snapshot.pdf import pdf_file
from dashboard.snapshot.tables import zip_file
from dashboard.ui.caseload_table import CaseloadRow
from dashboard.ui.view import Signals, Table, Term
from tests.snapshots import MADE, as_drawn, content, episode_view, raised

HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "style": "</style><script>alert(1)</script>",
    "handler": '" onmouseover="alert(1)" x="',
    "apostrophe": "' onmouseover='alert(1)' x='",
    "picture": "<img src=x onerror=alert(1)>",
    "typst code": '#eval("alert") #read("/etc/hostname") #import "@preview/x:0.1.0" = Heading $x$ <label> @ref *b* `r` \\u{41}',
    "typst end": '"] ) } #panic("alert")',
    "css": "\\22 } body { background: url(https://example.org/alert) }",
    "json": '{"a": "\\u0000"} \\" \\',
    "bidi": "a\u202ealert\u2066b\u200f",
    "nul": "a\x00b\x1b[31mc\x7f\ufeff",
    "surrogate": "a\ud800b",
    "formula": "=HYPERLINK(alert)",
    "other scripts": "日本語 العربية 😀 Ångström Ελληνικά Кириллица",
    "long": "alert " * 200_000,
    "one long word": "x" * 1_000_000,
    "breaks": "a\r\nb\u2028c\td",
}


def drawings(made: Content) -> list[str]:
    return checked_drawings(made, [as_drawn(one) for one in made.figures])


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


class Outline(HTMLParser):
    """Tags in order, and everything an HTML file could fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.trouble: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "img", "iframe", "object", "link", "base", "form", "a"):
            self.trouble.append(tag)
        self.trouble += [name for name, _ in attrs if name.startswith("on") or name in ("src", "href", "srcset")]


def outline(data: bytes) -> Outline:
    parser = Outline()
    parser.feed(data.decode())
    parser.close()
    return parser


# --------------------------------------------------------------------------- content and hash


def test_the_hash_leaves_out_who_made_it_and_when() -> None:
    first, again = content(), content()
    assert first.hash == again.hash
    later = Made("Y. Lind", MADE.at + timedelta(days=1))
    one, two = (html_file(first, made, drawings(first)).decode() for made in (MADE, later))
    assert one != two
    assert _without(one, MADE) == _without(two, later)
    assert again.canonical == first.canonical


def _without(text: str, made: Made) -> str:
    """The file without its made line, which also stands in the style as the foot of each sheet, and in the style's hash."""
    text = text.replace(made.words, "MADE")
    return re.sub(r"sha256-[^']+", "HASH", re.sub(r'@bottom-left \{ content: "[^"]*"', "FOOT", text))


@pytest.mark.parametrize(
    "other",
    [
        {"as_of": datetime(2026, 11, 21).date()},
        {"rules_version": "other"},
        {"filters": ("one episode",)},
        {"title": "Another"},
        {"people": ("A. Other",)},
    ],
)
def test_the_hash_changes_with_anything_else(other: dict[str, object]) -> None:
    assert content(**other).hash != content().hash


def test_the_content_is_plain_data_in_one_form() -> None:
    made = content()
    assert json.loads(made.canonical)["title"] == "Caseload of R. Okafor"
    assert sha256(made.canonical) == made.hash


def test_every_format_has_the_same_bytes_each_time() -> None:
    made = content()
    raw = [as_drawn(one) for one in made.figures]
    one, two = (every_file(made, MADE, raw, paper="a4") for _ in range(2))
    assert sorted(one.data) == ["html", "json", "pdf", "zip"]
    assert {name: sha256(data) for name, data in one.data.items()} == {
        name: sha256(data) for name, data in two.data.items()
    }


def row(code: str, priority: str, since: str = "2026-01-01") -> CaseloadRow:
    return CaseloadRow(
        public_id=f"id-{code}", code=code, sessions="", priority=priority, since="", since_sort=since, outcome=None,
        change="not_enough_data", alliance=None, alliance_words="", appointments=(), signals=("Missed",), leaving=("", ""),
        missing="",
    )  # fmt: skip


def test_every_episode_worth_discussing_is_named_also_those_left_out() -> None:
    rows = [row("C", "worth_discussing"), row("A", "no_signals"), row("B", "talk_first"), row("D", "not_enough_data")]
    found = listing(rows, "R. Okafor", {"id-B"})
    assert [(one.code, one.why) for one in found] == [("B", SHOWN), ("C", LEFT_OUT)]


def test_a_practice_summary_names_no_episode() -> None:
    about = About(Kind.PRACTICE, "P", "T", (), MADE.at.date(), "r", audience=Audience.PRACTICE)
    with pytest.raises(ValueError, match="names no episode"):
        compose(about, "x", [], list(content().listed))


# --------------------------------------------------------------------------- files


def test_the_html_says_what_a_first_and_a_last_page_must() -> None:
    made = content(("4F-210", "5G-311"))
    text = html_file(made, MADE, drawings(made)).decode()
    for words in ("Supervisee", "Data as of", "20 Nov 2026", "supervision copy", "R. Okafor on 20 Nov 2026 14:05", "Filters",
                  "4 of 23 open episodes.", "Definitions used", "Signals and their versions", "Limits", made.hash):  # fmt: skip
        assert words in text, words
    assert text.count("<hr>") == 8
    assert "size: A4" in text
    assert "size: letter" in html_file(made, MADE, drawings(made), paper="letter").decode()


def test_the_html_with_drawings_runs_nothing_and_asks_for_nothing() -> None:
    made = content()
    data = html_file(made, MADE, drawings(made))
    found = outline(data)
    assert found.trouble == []
    assert "svg" in found.tags
    assert b"default-src 'none'; style-src 'sha256-" in data


def test_headings_do_not_skip_a_level() -> None:
    made = content()
    levels = [
        int(tag[1]) for tag in outline(html_file(made, MADE, drawings(made))).tags if re.fullmatch(r"h[1-6]", tag)
    ]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_headings_do_not_skip_a_level_where_a_part_begins_with_a_signal() -> None:
    view = episode_view()
    kept = [block for block in view.blocks if isinstance(block, Signals | Term)]
    about = About(Kind.EPISODE, "P", "T", ("R",), MADE.at.date(), "r")
    made = compose(about, "s", [Part(replace(view, blocks=[Signals([raised()]), *kept]))])
    tags = [tag for tag in outline(html_file(made, MADE, [])).tags if re.fullmatch(r"h[1-6]", tag)]
    assert tags[:3] == ["h1", "h2", "h3"]
    assert pdf_file(made, MADE, []).startswith(b"%PDF")


def test_without_drawings_the_html_holds_plotly_once_and_no_other_address() -> None:
    made = content(("4F-210", "5G-311"))
    data = html_file(made, MADE, None)
    assert data.count(b"<script>") == 2
    assert data.count(b'<script type="application/json"') == 1
    assert b"script-src 'sha256-" in data
    assert b" src=" not in data.split(b"</style>")[1].split(b"<script>")[0]


def test_the_pdf_is_tagged_titled_and_says_the_same() -> None:
    made = content(("4F-210", "5G-311"))
    reader = pypdf.PdfReader(io.BytesIO(pdf_file(made, MADE, drawings(made))))
    assert reader.metadata is not None
    assert reader.metadata.title == "Caseload of R. Okafor"
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"  # type: ignore[index]
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert round(float(reader.pages[0].mediabox.height)) == 842
    text = "\n".join(page.extract_text() for page in reader.pages)
    for words in (
        "Episode 5G-311",
        "Reliable worsening",
        "What changed?",
        "Definitions used",
        running_line(made, MADE),
    ):
        assert words in text, words
    fonts = {str(font["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()}  # type: ignore[index, union-attr]
    assert {name.split("+")[1].split("-")[0] for name in fonts} <= {"SourceSansPro", "DejaVuSansMono"}


def test_letter_paper() -> None:
    made = content()
    page = pypdf.PdfReader(io.BytesIO(pdf_file(made, MADE, drawings(made), paper="letter"))).pages[0]
    assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (612, 792)


@pytest.mark.parametrize("raw", [None, [], ["<svg/>"]])
def test_unfit_drawings_leave_an_interactive_file_and_say_why_there_is_no_pdf(raw: list[str] | None) -> None:
    made: Files = every_file(content(), MADE, raw, paper="a4")
    assert sorted(made.data) == ["html", "json", "zip"]
    assert "there is no PDF this time" in made.problem


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_text_that_means_harm_stays_text(kind: str) -> None:
    made = content(words=HOSTILE[kind])
    assert made.canonical
    still = html_file(made, Made(HOSTILE[kind], MADE.at), drawings(made))
    assert outline(still).trouble == []
    assert still.count(b"</style>") == 1
    alive = html_file(made, MADE, None)
    assert [tag for tag in outline(alive).trouble if tag != "script"] == []
    assert outline(alive).tags.count("script") == 3
    paper = pdf_file(made, Made(HOSTILE[kind], MADE.at), drawings(made))
    assert len(pypdf.PdfReader(io.BytesIO(paper)).pages) < 60
    assert zipfile.ZipFile(io.BytesIO(zip_file(made, MADE))).testzip() is None


def test_typst_code_is_printed_and_not_run() -> None:
    made = content(words=HOSTILE["typst code"])
    text = re.sub(r"\s+", "", pdf_text(pdf_file(made, MADE, drawings(made))))
    assert '#eval("alert")#read("/etc/hostname")' in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\x00b\x1bc", "abc"),
        ("a\u202eb\u2066c\u200f", "abc"),
        ("line\r\nline", "line\nline"),
        ("a\ud800b", "ab"),
        ("x" * 3_000, "x" * 2_000 + " … (cut)"),
        ("Ångström 日本", "Ångström 日本"),
    ],
)
def test_plain_text(text: str, said: str) -> None:
    assert plain(text) == said


def test_what_the_print_font_lacks_is_a_box() -> None:
    assert covers("Ångström Ελληνικά Кириллица ◆◇○◌▲●▼■□✕✓ −–·…")
    assert showable("a日😀b") == f"a{BOX}{BOX}b"


# --------------------------------------------------------------------------- tables


def tables(made: Content) -> dict[str, list[list[str]]]:
    archive = zipfile.ZipFile(io.BytesIO(zip_file(made, MADE)))
    return {
        name: list(csv.reader(io.StringIO(archive.read(name).decode())))
        for name in archive.namelist()
        if name.endswith(".csv")
    }


def test_the_tables_are_tidy_and_explained() -> None:
    made = content(("4F-210", "5G-311"))
    found = tables(made)
    assert {"about.csv", "episodes.csv", "signals.csv", "facts.csv", "change_plain.csv"} <= set(found)
    assert len(found["change_plain.csv"]) == 3
    assert found["change_plain.csv"][0] == ["part", "Questionnaire", "Questionnaire (note)", "plain"]
    assert found["figure_course_4f_210.csv"][0] == ["Date", "PHQ-9", "Alliance", "Appointment"]
    readme = zipfile.ZipFile(io.BytesIO(zip_file(made, MADE))).read("README.txt").decode()
    assert all(name in readme for name in found)


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_no_cell_of_a_table_is_a_formula(kind: str) -> None:
    for name, rows in tables(content(words=HOSTILE[kind])).items():
        for cells in rows:
            for cell in cells:
                assert not cell.startswith(DANGEROUS) or re.fullmatch(PLAIN_NUMBER, cell), (name, cell[:40])


def test_a_change_is_a_number_in_the_tables() -> None:
    view = episode_view()
    blocks = [*view.blocks]

    blocks.append(Table("Points", ("What", "Change"), [["a", "−6"], ["b", "–"], ["c", "+3"]]))
    about = About(Kind.EPISODE, "P", "T", ("R",), MADE.at.date(), "r")
    found = tables(compose(about, "s", [Part(replace(view, blocks=blocks))]))
    assert [cells[2] for cells in found["points.csv"][1:]] == ["-6", "", "+3"]


def test_the_moment_of_making_is_not_in_the_archive() -> None:
    made = content()
    assert {one.date_time for one in zipfile.ZipFile(io.BytesIO(zip_file(made, MADE))).infolist()} == {
        (1980, 1, 1, 0, 0, 0)
    }


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ("07", "07"),
        ("../../etc", "etc"),
        ('a"b\r\nc', "a-b-c"),
        ("日本", "practice"),
        ("3-supervisees", "3-supervisees"),
    ],
)
def test_a_file_name_is_plain(about: str, name: str) -> None:
    assert file_name(content(), about, "pdf") == f"supervision-snapshot_2026-11-20_{name}.pdf"


def test_a_meeting_has_its_date_on_the_first_page() -> None:
    made = content(kind=Kind.MEETING, meeting_on=datetime(2026, 11, 24).date())
    text = html_file(made, MADE, drawings(made)).decode()
    assert "<dt>Meeting</dt><dd>24 Nov 2026</dd>" in text
    assert "24 Nov 2026" in pdf_text(pdf_file(made, MADE, drawings(made)))


@pytest.mark.parametrize(
    ("blocks", "notes", "expected"),
    [((), False, False), ((), True, True), (({"kind": "figure", "figure": {}},), False, True)],
)
def test_a_section_that_is_written_on_or_has_a_figure_begins_a_sheet(
    blocks: tuple[dict[str, object], ...], notes: bool, expected: bool
) -> None:
    assert Section("A case", blocks, notes=notes).own_page is expected
