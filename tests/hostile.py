"""Texts that mean harm or merely look odd, where they are put, and what no output may hold of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from streamlit.testing.v1 import AppTest

from dashboard.harmless import HIDDEN, LONGEST_SHOWN, MOST_MARKS, clean

LINKS = (Path(__file__).resolve().parents[1] / "dashboard" / "ui" / "links.js").read_text(
    "utf-8"
)  # what every page runs
OUTSIDE = "outside.example"  # a name that no file of ours has
# name -> the text; each holds a word of its own (zq…), which has to be readable wherever the text is shown
HOSTILE = {
    "picture": f'<img src="http://{OUTSIDE}/a.png" onerror="window.zqRan=1">zqpicture',
    "script": "</span></script><script>window.zqRan=1</script>zqscript",
    "attribute": '" onmouseover="window.zqRan=1" x="zqattribute',
    "apostrophe": "' onmouseover='window.zqRan=1' x='zqapostrophe",
    "entity": "&lt;script&gt;zqentity&lt;/script&gt; &amp;lt;b&amp;gt; &#x3C;i&#x3E;",
    "link": f"[zqlink](javascript:window.zqRan=1) ![x](http://{OUTSIDE}/b.png) **b** _i_ `c` ~~d~~",
    "directive": ":red[zqdirective] :material/lock: :smile: :streamlit: -> -- >= $x^2$ $$y$$",
    "address": f"http://{OUTSIDE}/zqaddress www.{OUTSIDE} zq@{OUTSIDE} mailto:zq@{OUTSIDE}",
    "plotly": f"<a href='javascript:window.zqRan=1'>zqplotly</a><br><b>x</b>%{{x}} http://{OUTSIDE}",
    "template": "{{7*7}} ${7*7} {0.__class__} %s %(x)s zqtemplate",
    "typst": '#read("/etc/hostname") #image("x.png") $x$ = zqtypst <label> @ref \\ "] ) } #panic("x")',
    "css": "\\22 } body { background: url(http://outside.example/zqcss) } /* ",
    "svg": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg onload=window.zqRan=1>&e;zqsvg</svg>',
    "equals": '=HYPERLINK("http://outside.example/zqequals")',
    "plus": "+1+zqplus",
    "minus": "-2+zqminus",
    "at": "@SUM(zqat)",
    "tab": "\t=zqtab",
    "return": "\r=zqreturn",
    "wide": "＝zqwide()",
    "bidi": "zq\u202ebidi\u2066x\u2069\u200f\u061c",
    "hidden": "zq\u200bhid\u2060den\ufeff\u00ad\U000e0041",
    "control": "zqcon\x00trol\x1b[31mred\x1b]0;x\x07\x7f\x9b",
    "lines": "zqlines\r\nINFO forged\u2028entry\nX-Header: y",
    "storm": "zqsto" + "\u0301" * 60 + "rm",
    "arabic": "zqar محمد عبد الله",
    "hebrew": "zqhe נועה כהן",
    "persian": "zqpe می\u200cخواهم",
    "cjk": "zqcjk 日本語 한국어",
    "emoji": "zqemoji 👩\u200d👩\u200d👧 😀",
    "long": "zqlong" + "w" * 494,
}
WORDS = {name: re.search(r"zq\w+", clean(one).replace("zq@", "").replace("zqRan", "")) for name, one in HOSTILE.items()}
KEPT = ("arabic", "hebrew", "persian", "cjk", "emoji")  # every letter of these has to arrive
HIDDEN_SIGN = re.compile(HIDDEN)
STORMY = re.compile(f"[\u0300-\u036f]{{{MOST_MARKS + 1}}}")
OURS = ("b", "br", "extra", "i", "sub", "sup")  # tags that our own figures use
TEXT_ATTRIBUTES = ("aria-label", "title", "alt", "data-find", "data-code", "data-sort")
# fields of Streamlit's elements that are read as Markdown; st.text and st.code show theirs as they are
MARKDOWN = ("label", "body", "help", "text", "caption", "header", "subheader", "content")
PLAIN = ("text", "code")
MARKED_OPTIONS = ("radio", "button_group")
MARKUP = re.compile(
    r"(?<!\\)(?:\]\(|:[a-z]+\[|!\[|<(?=[a-z/!])|\*\*|~~|`|\$)|:material/|:smile:|:streamlit:|https?://|www\.\w|\w@\w|mailto:\w",
    re.IGNORECASE,
)


class _Page(HTMLParser):
    """Collects what no page of ours would write: scripts, pictures, handlers, foreign addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "iframe", "object", "link", "base", "form", "meta", "math"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or ("zqRan" in (value or "") and name not in TEXT_ATTRIBUTES):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "srcset", "action") and ":" in (value or ""):
                self.found.append(f"{tag} {name}={value}")
            if name == "style" and "url" in (value or ""):
                self.found.append(f"{tag} {name}={value}")


def harm_in_text(said: str) -> list[str]:
    """Of any output: signs that nobody sees, storms of marks."""
    found = [f"hidden sign {hex(ord(sign))} in {said[:60]!r}" for sign in HIDDEN_SIGN.findall(said)[:1]]
    return found + [f"a storm in {said[:60]!r}" for _ in STORMY.findall(said)[:1]]


def harm_in_html(html: str) -> list[str]:
    """Of HTML: markup that is not ours, too."""
    parser = _Page()
    parser.feed(html)
    parser.close()
    return parser.found + harm_in_text(html)


def harm_in_figure(label: str) -> list[str]:
    """Of a text in a figure: tags that are not ours, too long."""
    tags = [one for one in re.findall(r"<\s*/?\s*([a-zA-Z!]+)", label) if one.lower() not in OURS]
    long = [f"{len(label):,} characters"] if len(label) > 3 * LONGEST_SHOWN else []
    return [f"{tag} in {label[:80]!r}" for tag in tags] + long + harm_in_text(label)


def harm_in_markdown(said: str) -> list[str]:
    """Of Streamlit's Markdown that repeats somebody's text: signs that are neither escaped nor broken up."""
    if "zq" not in said:
        return []
    return [f"{sign!r} in {said[:120]!r}" for sign in MARKUP.findall(said)] + [f"a break in {said[:60]!r}"] * (
        "\n" in said
    )


def strings(value: object) -> Iterator[str]:
    """Every text inside plain data."""
    match value:
        case str():
            yield value
        case dict():
            for name, one in value.items():
                yield str(name)
                yield from strings(one)
        case list():
            for one in value:
                yield from strings(one)


def _nodes(block: Any) -> Iterator[Any]:
    for child in getattr(block, "children", {}).values():
        yield child
        yield from _nodes(child)


def _markdown_of(proto: Any) -> Iterator[str]:
    """The Markdown of an element or of a block with a label (an expander, a tab)."""
    if proto is None or not hasattr(proto, "ListFields"):
        return
    for field, value in proto.ListFields():
        if isinstance(value, str) and field.name in MARKDOWN:
            yield value
        elif field.message_type is not None:
            for one in value if field.is_repeated else [value]:
                yield from _markdown_of(one)


def harm_in_page(app: AppTest, ours: str) -> tuple[list[str], str]:
    """What a page holds that it must not, and all that it says; ``ours`` is the script that every page has."""
    found = [f"exception {one.value}" for one in app.exception]
    said: list[str] = []
    for node in _nodes(app._tree):
        kind, proto = node.type, getattr(node, "proto", None)
        if kind == "html":
            body = proto.body.replace(f"<script>{ours}</script>", "").replace(f"<script>{ours.strip()}</script>", "")
            if getattr(proto, "unsafe_allow_javascript", False) and "zq" not in body:
                continue
            found += harm_in_html(body)
            said.append(body)
        elif kind == "bidi_component":
            data = json.loads(proto.json or "null") if hasattr(proto, "json") else None
            for one in strings(data):
                found += harm_in_html(one) if "<table" in one else []
                said.append(one)
        elif kind == "plotly_chart":
            labels = list(strings(json.loads(proto.spec)))
            found += [harm for one in labels for harm in harm_in_figure(one)]
            said += labels
        elif kind not in PLAIN:
            marked = list(_markdown_of(proto))
            if kind in MARKED_OPTIONS:
                marked += [one for one in getattr(proto, "options", ()) if isinstance(one, str)]
            found += [f"{kind}: {harm}" for one in marked for harm in harm_in_markdown(one)]
            said += marked
    return found, "\n".join(said)


# --------------------------------------------------------------------------- into a practice

# table -> columns of free text; every row gets the next hostile text (with the row's number behind it where it must be unique)
PLACES = {
    "clinician": ("display_name",),
    "client": ("client_code",),
    "episode": ("problem_area",),
    "set_aside": ("file", '"column"', "value", "reason", "source"),
    "flag_reply": ("reason",),
    "safety_check": ("note",),
    "snapshot": ("title", "deleted_reason"),
    "growth_goal": ("text", "closed_note"),
    "agreed_action": ("what", "who"),
    "meeting_addition": ("text",),
    "saved_mapping": ("name",),
    "practice": ("name",),
    "import": ("source",),
}
UNIQUE = ("saved_mapping", "client")


def spoil(connection: Connection) -> None:
    """Puts every text everywhere, past all checks: what an older version or another program may have left there."""
    texts = list(HOSTILE.values())
    for table, columns in PLACES.items():
        ids = [row[0] for row in connection.execute(text(f'SELECT rowid FROM "{table}" ORDER BY rowid'))]
        for place, row in enumerate(ids):
            one = texts[place % len(texts)] + (f" {row}" if table in UNIQUE else "")
            for column in columns:
                statement = f'UPDATE "{table}" SET {column} = :x WHERE rowid = :id AND {column} IS NOT NULL'
                connection.execute(text(statement), {"x": one, "id": row})
    for place, row in enumerate(
        connection.execute(text("SELECT rowid FROM meeting_field WHERE field IN ('what', 'note')")).all()
    ):
        said = texts[place % len(texts)]
        connection.execute(text("UPDATE meeting_field SET text = :x WHERE rowid = :id"), {"x": said, "id": row[0]})
    connection.execute(text('UPDATE "import" SET files = :x'), {"x": json.dumps(texts)})


def own_instruments(connection: Connection) -> None:
    """A questionnaire of the practice's own for each text, in use where the PHQ-9 was."""
    for number, one in enumerate(HOSTILE.values()):
        definition = {
            "key": f"zown{number}", "name": one, "kind": "outcome", "minimum": 0, "maximum": 27, "better": "lower",
            "cutoff": 10, "reliable_change": 6, "source": one, "licence": one,
        }  # fmt: skip
        connection.execute(
            text(
                "INSERT INTO practice_instrument (practice_id, key, definition) SELECT id, :key, :definition FROM practice"
            ),
            {"key": f"zown{number}", "definition": json.dumps(definition)},
        )
    count = {"n": len(HOSTILE)}
    for table, column in (("score", "instrument"), ("episode_state", "outcome_instrument")):
        connection.execute(
            text(f"UPDATE {table} SET {column} = 'zown' || (episode_id % :n) WHERE {column} = 'phq9'"), count
        )


def files(folder: Path) -> Path:
    """A folder as a practice might send it: every text in every free column, and cells of a megabyte."""
    folder.mkdir()

    def quoted(one: str) -> str:
        return '"' + one.replace('"', '""') + '"'

    texts = [one.replace("\x00", "") for one in HOSTILE.values()]  # a file with NUL bytes is refused whole
    people = [(f"c{n}", one) for n, one in enumerate(texts)]
    clients = [(f"k{n}", f"{one} {n}"[-500:], one) for n, one in enumerate(texts)]
    episodes = [(f"e{n}", f"k{n}", f"c{n}", "2026-01-05", one) for n, one in enumerate(texts)]
    huge = "zqhuge" + "x" * 1_000_000
    for name, head, rows in (
        ("clinicians", ("clinician_id", "display_name"), [*people, ("cx", huge), (huge, "Ada")]),
        ("clients", ("client_id", "client_code", "gender"), [*clients, ("kx", huge, "x")]),
        ("episodes", ("episode_id", "client_id", "clinician_id", "opened_on", "problem_area"),
         [*episodes, ("ex", "k1", "c1", texts[1], "x"), ("ey", "k1", "c1", huge, "x")]),
    ):  # fmt: skip
        lines = [",".join(quoted(cell) for cell in row) for row in (head, *rows)]
        (folder / f"{name}.csv").write_bytes("\n".join(lines).encode())
    return folder
