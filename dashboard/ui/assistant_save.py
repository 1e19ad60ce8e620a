"""Step 6 of the assistant: keep the mapping under a name, and load the files."""

from __future__ import annotations

import streamlit as st

from dashboard import runtime
from dashboard.access import Viewer
from dashboard.assist.trying import load_tables
from dashboard.downloads import link
from dashboard.errors import SupervisionError
from dashboard.intake.mapping import parse_mapping
from dashboard.saved_mappings import LONGEST_NAME, Shelf
from dashboard.ui.assistant_check import tried
from dashboard.ui.assistant_controls import line, said, tick, write_text
from dashboard.ui.assistant_state import Work
from dashboard.ui.say import progress
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Download, Heading, Lead, Notice, Para


def save_step(work: Work, viewer: Viewer, shelf: Shelf) -> None:
    """Saving is for the next time; loading works without it."""
    result = tried(work, viewer)
    if isinstance(result, str):
        show_blocks([Notice(result, "orange")])
    _saving(work, viewer, shelf, ready=not isinstance(result, str))
    _loading(work, viewer, ready=not isinstance(result, str))


def _saving(work: Work, viewer: Viewer, shelf: Shelf, *, ready: bool) -> None:
    names = [one.name for one in shelf.names()]
    show_blocks([Heading("Keep this mapping", "The next export of the same kind is then read with one choice.")])
    with line("name"):
        said("Name", width=120)
        write_text(work, "Name of the mapping", work.draft.name, lambda name: setattr(work.draft, "name", name),
                   key="as-name", most=LONGEST_NAME, width=320)  # fmt: skip

        def save() -> None:
            try:
                replace = bool(st.session_state.get("as-replace"))
                kept = shelf.save(work.draft.name, work.text(), replace=replace)
            except SupervisionError as error:
                work.said = str(error)
                return
            work.draft.name = work.opened = kept
            work.said = f"Saved as {kept}."

        st.button("Save", on_click=save, disabled=not ready)
    taken = work.draft.name in names
    if taken:
        tick(work, "Replace the mapping that has this name", bool(st.session_state.get("as-replace")), lambda on: None,
             key="as-replace")  # fmt: skip
    if work.opened in names:
        show_blocks(
            [Download("Download it as a file", link(viewer, f"mapping:{work.opened}", runtime.settings().now()))]
        )
        _rename_and_delete(work, shelf)


def _rename_and_delete(work: Work, shelf: Shelf) -> None:
    def delete() -> None:
        try:
            shelf.delete(work.opened)
            work.said, work.opened = f"Deleted {work.opened}. What was imported through it stays.", ""
        except SupervisionError as error:
            work.said = str(error)

    def rename() -> None:
        try:
            work.opened = work.draft.name = shelf.rename(work.opened, work.draft.name)
            work.said = f"It is now called {work.opened}."
        except SupervisionError as error:
            work.said = str(error)

    with st.container(horizontal=True):
        if work.draft.name and work.draft.name != work.opened:
            st.button("Rename the saved one to this name", on_click=rename)
        with st.popover("Delete the saved mapping"):
            st.button("Delete it", on_click=delete)


def _loading(work: Work, viewer: Viewer, *, ready: bool) -> None:
    show_blocks([Heading("Load the files", "All or nothing; rows that break a rule are set aside with their reason.")])
    with line("source"):
        said("Where they come from", "ids are unique within it", width=220)
        write_text(work, "Where they come from", work.source_name, lambda name: setattr(work, "source_name", name or "files"),
                   key="as-source", most=80, width=260)  # fmt: skip
        pressed = st.button("Load the files", type="primary", disabled=not ready)
    if pressed:
        _load(work, viewer)
    if work.done:
        show_blocks([Lead("Loaded."), *(Para(words) for words in work.done)])


def _load(work: Work, viewer: Viewer) -> None:
    settings = runtime.settings()
    try:
        mapping = parse_mapping(work.text(), "this draft")
        with progress() as step:
            report = load_tables(
                runtime.engine(), settings, viewer, {stem: table.read for stem, table in work.tables.items()}, mapping,
                files=_files_read(work, mapping.sources), source=work.source_name, now=settings.now(),
                progress=step,
            )  # fmt: skip
    except SupervisionError as error:
        show_blocks([Notice(str(error), "orange")])
        return
    aside = ["Which rows, and why, stands on Data quality under Set aside."] if report.set_aside else []
    work.done = [*report.count_lines, *aside]
    work.trial = None


def _files_read(work: Work, stems: set[str]) -> list[str]:
    return sorted({table.upload for stem, table in work.tables.items() if stem in stems})
