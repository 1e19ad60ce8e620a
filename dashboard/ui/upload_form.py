"""Loading files the short way: our own tables, FHIR files, or a mapping that is there already; the assistant is a click away."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from dashboard import runtime
from dashboard.access import Role, Viewer, check_can_import, operator_scope
from dashboard.assist.reading import plain_name
from dashboard.errors import SupervisionError, UnusableInput
from dashboard.importing import import_files
from dashboard.intake.mapping import mapping_abouts
from dashboard.saved_mappings import Shelf
from dashboard.ui.assistant import open_assistant
from dashboard.ui.say import done, progress
from dashboard.ui.show import show_blocks
from dashboard.ui.view import Notice
from queries import practices
from queries.acting import widening
from queries.engine import reading


def _mappings(viewer: Viewer) -> dict[str, str]:
    """Saved and shipped mappings: name to what a list shows."""
    shelf = Shelf(runtime.engine(), viewer.practice_id, viewer, runtime.settings().now())
    saved = {one.name: f"{one.name} (saved by {one.username})" for one in shelf.names()}
    return saved | mapping_abouts()


def upload_form(viewer: Viewer) -> None:
    """The form, and what came of it. Raises NotAllowed for who may not import."""
    check_can_import(viewer.role)
    settings = runtime.settings()
    st.html(
        '<div class="sv"><h2>Load files</h2><p class="text">Files of another system, or a survey? The import assistant '
        "shows what is in them, proposes how to read them, and keeps that for the next time.</p></div>"
    )
    st.button("Open the import assistant", on_click=open_assistant)
    with st.form("upload", border=False):
        files = st.file_uploader(
            "Files in this program's own form, of FHIR, or of a system with a mapping",
            type=["csv", "gz", "xlsx", "parquet", "toml", "json", "ndjson"],
            accept_multiple_files=True,
            max_upload_size=settings.max_upload_mb,
        )
        abouts = _mappings(viewer)
        mapping = st.selectbox(
            "How to read them",
            ["", *abouts],
            format_func=lambda one: abouts[one] if one else "As this program's own tables, or FHIR",
        )
        source = st.text_input("Where they come from", value="files", max_chars=80)
        check_only = st.checkbox("Check only, change nothing")
        sent = st.form_submit_button("Read the files", type="primary")
    if sent:
        given = {plain_name(file.name): file.getvalue() for file in files or []}
        _read(viewer, given, len(files or []), mapping or None, source.strip() or "files", check_only=check_only)


def _read(
    viewer: Viewer, given: dict[str, bytes], count: int, mapping: str | None, source: str, *, check_only: bool
) -> None:
    settings = runtime.settings()
    try:
        check_can_import(viewer.role)
        if not given:
            raise UnusableInput("Choose at least one file.")
        if len(given) < count:
            raise UnusableInput("Two files have the same name. Rename one and choose them again.")
        with (
            tempfile.TemporaryDirectory(prefix="supervision-") as folder,
            reading(runtime.engine()) as connection,
            progress() as step,
        ):
            name = practices.name_of(connection, viewer.practice_id)
            paths = [Path(folder) / one for one in given]
            for path in paths:
                path.write_bytes(given[path.name])
            with widening(operator_scope(viewer.practice_id)):
                report = import_files(
                    runtime.engine(), settings, practice=name, paths=paths, source=source, mapping=mapping,
                    dry_run=check_only, username=viewer.username, now=settings.now(), progress=step,
                    purpose=viewer.purpose,
                )  # fmt: skip
    except SupervisionError as error:
        show_blocks([Notice(str(error), "orange")])
        return
    done("Checked; nothing was changed." if check_only else "Loaded.")
    for line in report.count_lines if viewer.role is Role.ADMIN else report.summary_lines:
        st.text(line)
