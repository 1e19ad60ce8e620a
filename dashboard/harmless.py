"""Text from outside, made harmless: what is taken out at every entrance and exit, and one small function per kind of output.

Text comes from files, forms, the command line and databases written elsewhere, and may mean harm or merely look odd. The rules:

* taken out everywhere (``clean``): characters that nobody sees and that mislead (controls and escape sequences, overrides of
  the writing direction, zero-width signs, tags, lone surrogates), and combining marks beyond ``MOST_MARKS`` in a row;
* set aside or refused at intake: a cell longer than ``LONGEST_CELL``, a column's name longer than ``LONGEST_COLUMN``, a file's
  name longer than ``LONGEST_FILE``; forms refuse by their own shorter limits;
* kept: every letter of every script, emoji with their joiners (U+200D) and Persian's non-joiner (U+200C);
* neutralised where it leaves: ``escape`` (HTML), ``for_markdown`` (Streamlit's messages and labels), ``for_figure`` (Plotly),
  ``one_line`` (terminal, log, messages), ``for_file_name`` (downloads), ``dashboard.exports`` (spreadsheets). Typst gets
  text as data, never as markup (``snapshot/paper.typ``).
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

# project defaults, all
LONGEST_CELL = 500  # characters: an id of that length still fits PostgreSQL's index
LONGEST_COLUMN = 1_000  # a survey puts its whole question there
LONGEST_FILE = 200
LONGEST_ARGUMENT = 4_096
LONGEST_SHOWN = 2_000  # a page never says as much in one place
LONGEST_LINE = 500
LONGEST_MESSAGE = 1_200
MOST_MARKS = 6  # combining marks on one letter: no script that is written needs more
CUT = " … (cut)"

_JOINER = "\u2060"  # word joiner: nobody sees it, and it breaks what would otherwise be read as a sign
_HIDDEN_RANGES = (
    (0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F),  # controls but tab, line feed and carriage return
    (0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200B), (0x200E, 0x200F), (0x2028, 0x202E),
    (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xFFFE, 0xFFFF), (0xE0000, 0xE007F),
)  # fmt: skip
_MARK_RANGES = (
    (0x300, 0x36F), (0x483, 0x489), (0x591, 0x5BD), (0x610, 0x61A), (0x64B, 0x65F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF), (0xFE20, 0xFE2F),
)  # fmt: skip


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in ranges)


# for Polars' expressions too, whose strings hold no surrogates
HIDDEN = f"[{_class(_HIDDEN_RANGES)}]"
STORM = f"([{_class(_MARK_RANGES)}]{{{MOST_MARKS}}})[{_class(_MARK_RANGES)}]+"
_UNSEEN = re.compile(f"[{_class(_HIDDEN_RANGES)}\ud800-\udfff]")
_STORM = re.compile(STORM)


def clean(text: str) -> str:
    """The text without what nobody sees and with at most MOST_MARKS combining marks in a row; ``\\r\\n`` becomes ``\\n``."""
    if text.isascii() and text.isprintable():
        return text
    return _STORM.sub(r"\1", _UNSEEN.sub("", text.replace("\r\n", "\n")))


def is_plain_argument(text: str) -> bool:
    """Whether a word of a command is clean and no longer than a path; it may hold bytes that are no text, as a path may."""
    return len(text) <= LONGEST_ARGUMENT and not re.search(f"{HIDDEN}|{STORM}", text)


def shown(text: str) -> str:
    """Clean, and not longer than LONGEST_SHOWN: what is cut says so."""
    if len(text) > 2 * LONGEST_SHOWN:
        text = text[: 2 * LONGEST_SHOWN]
    safe = clean(text)
    return safe if len(safe) <= LONGEST_SHOWN else safe[:LONGEST_SHOWN] + CUT


def escape(text: str) -> str:
    """For HTML, between tags and inside quoted attributes."""
    return html.escape(shown(text))


def for_figure(text: str) -> str:
    """For Plotly, which reads a few tags and entities; quotation marks stay, because it knows no entity for them."""
    return html.escape(shown(text), quote=False)


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Clean, on one line, cut: for a terminal, a log, a message, a header. A line break would forge a second entry."""
    safe = " ".join(clean(text[: 4 * longest]).split())
    return safe if len(safe) <= longest else f"{safe[: longest - 1]}…"


def message(text: str) -> str:
    """What goes wrong in words, as one line; both its beginning and its end, which says what to do, survive a long name."""
    safe = " ".join(clean(text).split())
    if len(safe) <= LONGEST_MESSAGE:
        return safe
    half = LONGEST_MESSAGE // 2
    return f"{safe[:half]} … {safe[-half:]}"


_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#|~$&!])")
_AT_START = re.compile(r"^(\d{0,9})([-+=.)])")
# signs that Streamlit makes arrows, dashes, icons, emoji, colours and links of, after Markdown's own escapes were read
_SIGNS = re.compile(r"(?<!\S)([<>~-])(?=(?:->|[-=>])(?!\S)|->(?!\S))")
_COLON = re.compile(r":(?=[\w/+-])")
_LINKS = re.compile(r"(@|www)(?=[\w.])", re.IGNORECASE)


def for_markdown(text: str) -> str:
    """For Streamlit's messages, captions and labels, which are all Markdown: shown as typed, on one line, never as markup."""
    safe = one_line(text, LONGEST_SHOWN)
    safe = _LINKS.sub(rf"\1{_JOINER}", _COLON.sub(f":{_JOINER}", _SIGNS.sub(rf"\1{_JOINER}", safe)))
    return _AT_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", safe))


_PLACES = re.compile(r"[/\\:]+")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def for_file_name(text: str, fallback: str, longest: int = 40) -> str:
    """A part of a file's name in plain letters, for every system and for a header; ``fallback`` where nothing is left."""
    return _NO_NAME.sub("-", text).strip("-.")[:longest].strip("-.") or fallback


def disposition(name: str) -> str:
    """The header that names a download: plain letters, and the same in UTF-8 for names of other scripts."""
    stem, dot, form = name.rpartition(".")
    ends = bool(dot) and len(form) <= 8 and form.isascii() and form.isalnum()
    plain = f"{for_file_name(stem, 'file', 80)}.{form}" if ends else for_file_name(name, "file", 80)
    told = quote(_PLACES.sub("-", one_line(name, 120)), safe="")
    return f'attachment; filename="{plain}"' + ("" if told == plain else f"; filename*=UTF-8''{told}")
