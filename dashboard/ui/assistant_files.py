"""Step 1 of the assistant: the files, what is in them, and a mapping to begin with."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from dashboard import runtime
from dashboard.assist.draft import Draft, draft_of
from dashboard.assist.reading import Table as Read
from dashboard.errors import SupervisionError
from dashboard.intake.layout import Encoding
from dashboard.intake.mapping import mapping_abouts, parse_mapping
from dashboard.saved_mappings import Shelf
from dashboard.ui.assistant_controls import cut, line, pick, said
from dashboard.ui.assistant_state import Work, limits, state
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Notice, Para, Table
from dashboard.ui.words import plural

FIRST_ROWS = 5
MOST_COLUMNS = 60  # shown of a file; the others are counted
DELIMITERS = {"": "as the first line shows", ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def _upload(work: Work) -> None:
    key = f"as-upload-{work.round}"

    def added() -> None:
        for file in state(key) or []:
            work.take(file.name, file.getvalue(), limits())
        work.round += 1
        work.propose()

    st.file_uploader(
        "Files of another system: CSV, Excel or Parquet, as many as there are",
        type=["csv", "gz", "xlsx", "parquet"],
        accept_multiple_files=True,
        max_upload_size=runtime.settings().max_upload_mb,
        key=key,
        on_change=added,
    )


def _begin_with(work: Work, shelf: Shelf) -> None:
    abouts = mapping_abouts()
    saved = [one.name for one in shelf.names()]

    def opened(name: str) -> None:
        work.opened, work.reads, work.touched = name, None, False
        if name:
            try:
                text = shelf.text(name)
                work.reads = parse_mapping(text, name)
                work.draft = draft_of(text)
                work.draft.name = name
            except SupervisionError as error:
                work.said, work.opened = str(error), ""
        else:
            work.draft = Draft()
        _read_again(work)
        work.propose()

    with line("begin"):
        said("Begin with", "a proposal, or a mapping that is there", width=220)
        pick(
            work, "Begin with", ["", *saved, *abouts], work.opened, opened, key="as-begin", width=440,
            shown=lambda one: f"{one}: {abouts[one]}" if one in abouts else one or "A proposal made from the files",
        )  # fmt: skip


def _read_again(work: Work) -> None:
    for name, data in list(work.uploads.items()):
        work.take(name, data, limits())


def _listed(work: Work) -> None:
    rows = [
        [cut(table.shown, 80), f"{table.read.rows.height:,}", str(len(table.source.names)), _wrong(table)]
        for table in work.tables.values()
    ]
    show_blocks(
        [Table("The files", ("File", "Rows", "Columns", "Lines of another width"), rows, numeric=frozenset({1, 2, 3}))]
    )


def _wrong(table: Read) -> str:
    return f"{table.read.ragged.height:,}" if table.read.ragged.height else "–"


def _preview(work: Work, table: Read) -> None:
    names = table.source.names[:MOST_COLUMNS]
    rows = [
        [cut(work.shown(row[name])) for name in names] for row in table.read.rows.head(FIRST_ROWS).iter_rows(named=True)
    ]
    more = len(table.source.names) - len(names)
    note = f"{plural(more, 'more column')} not shown here. " if more > 0 else ""
    hidden = "Values are withheld from administrators." if work.masked else ""
    with st.container(key="as-preview"):
        show_blocks([Table("First rows", [cut(name) for name in names], rows, note=note + hidden)])


def _layout_of(work: Work, stem: str) -> dict[str, Any]:
    for one in work.draft.rest.get("source", []):
        if one["file"].lower() == stem:
            return dict(one)
    return {"file": stem}


def _set_layout(work: Work, table: Read, **changed: Any) -> None:
    plain = {"header_row": 1, "skip_rows": 0, "encoding": "utf-8", "delimiter": ""}
    now = _layout_of(work, table.stem) | changed
    now = {key: value for key, value in now.items() if plain.get(key) != value}
    others = [one for one in work.draft.rest.get("source", []) if one["file"].lower() != table.stem]
    work.draft.rest["source"] = [*others, now] if len(now) > 1 else others
    if not work.draft.rest["source"]:
        del work.draft.rest["source"]
    layouts = work.draft.rest.get("source")
    work.take(table.upload, work.uploads[table.upload], limits())
    if not work.opened:
        work.touched = False
    work.propose()
    if layouts:
        work.draft.rest["source"] = layouts


def _layout(work: Work, table: Read) -> None:
    now = _layout_of(work, table.stem)
    with st.expander("Where the column names stand, and how letters are stored"):
        with line("header"):
            said("Row of the column names", width=260)
            pick(
                work, "Row of the column names", list(range(1, 21)), now.get("header_row", 1),
                lambda row: _set_layout(work, table, header_row=row), key="as-header", width=120,
            )  # fmt: skip
        with line("skip"):
            said("Rows below it that hold no data", width=260)
            pick(
                work, "Rows below it that hold no data", list(range(11)), now.get("skip_rows", 0),
                lambda rows: _set_layout(work, table, skip_rows=rows), key="as-skip", width=120,
            )  # fmt: skip
        if not table.upload.lower().endswith((".xlsx", ".parquet")):
            _text_layout(work, table, now)


def _text_layout(work: Work, table: Read, now: dict[str, Any]) -> None:
    with line("encoding"):
        said("Letters are stored as", width=260)
        pick(
            work, "Letters are stored as", list(get_args(Encoding)), now.get("encoding", "utf-8"),
            lambda one: _set_layout(work, table, encoding=one), key="as-encoding", width=180,
        )  # fmt: skip
    with line("delimiter"):
        said("Between the cells stands", width=260)
        pick(
            work, "Between the cells stands", list(DELIMITERS), now.get("delimiter", ""),
            lambda one: _set_layout(work, table, delimiter=one), key="as-delimiter", width=220,
            shown=lambda one: DELIMITERS[one],
        )  # fmt: skip


def files_step(work: Work, shelf: Shelf) -> None:
    """Uploads, the files there are, the first rows of one, and which mapping to begin with."""
    _upload(work)
    show_blocks([Notice(words, "orange") for words in work.troubles.values()])
    _rescue(work)
    if not work.tables:
        show_blocks(
            [Para("Nothing is stored before the last step. Files stay in this session and go with it.", quiet=True)]
        )
        _begin_with(work, shelf)
        return
    _listed(work)
    stems = list(work.tables)
    chosen = work.looks_at.get("file")
    chosen = work.looks_at["file"] = chosen if chosen in stems else stems[0]

    def changed() -> None:
        work.looks_at["file"] = state("as-look")

    st.session_state["as-look"] = chosen
    with line("look"):
        said("Look at", width=220)
        st.selectbox(
            "Look at", stems, key="as-look", label_visibility="collapsed", width=440, on_change=changed,
            format_func=lambda stem: work.tables[stem].shown,
        )  # fmt: skip
        st.button("Take out", on_click=_remove, args=(work, chosen))
    table = work.tables[chosen]
    _preview(work, table)
    _layout(work, table)
    _begin_with(work, shelf)


def _remove(work: Work, stem: str) -> None:
    work.drop(work.tables[stem].upload)
    work.propose()


def _rescue(work: Work) -> None:
    """A file whose letters are stored another way can be read once a person says how; nothing is tried unasked."""
    for number, (name, trouble) in enumerate(list(work.troubles.items())):
        if "UTF-8" not in trouble or name not in work.refused:
            continue

        def read(encoding: str, name: str = name) -> None:
            stem = name.rsplit(".csv", 1)[0].lower()
            others = [one for one in work.draft.rest.get("source", []) if one["file"] != stem]
            layouts = [*others, {"file": stem, "encoding": encoding}]
            work.draft.rest["source"] = layouts
            work.take(name, work.refused[name], limits())
            work.propose()
            work.draft.rest["source"] = layouts

        with line(f"rescue-{number}"):
            said(cut(name), "its letters are stored another way:", width=260)
            choices = ["", *(one for one in get_args(Encoding) if one != "utf-8")]
            pick(work, "Letters are stored as", choices, "", read, key=f"as-rescue-{number}", width=220,
                 shown=lambda one: one or "Choose")  # fmt: skip
