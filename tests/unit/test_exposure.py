"""Where the program serves by itself, where only when it is told to, and who is refused."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboard import doctor, exposure
from dashboard.cli import cli
from dashboard.errors import UnusableInput
from dashboard.exposure import check_exposure, is_public
from dashboard.settings import Settings, load

PLAIN = Settings(db="sqlite://")
NAMES = {"desk": "192.0.2.7", "both": "127.0.0.1", "here": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = socket.getaddrinfo

    def known(host: str, port: Any, **more: Any) -> Any:
        if host == "nowhere":
            raise socket.gaierror("unknown")
        found = real(NAMES.get(host, host), port, **more)
        return [*found, *real("192.0.2.7", port, **more)] if host == "both" else found

    exposure._addresses.cache_clear()
    monkeypatch.setattr(socket, "getaddrinfo", known)
    yield
    exposure._addresses.cache_clear()


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False), ("127.5.5.5", False), ("localhost", False), ("::1", False), ("here", False),
        ("0.0.0.0", True), ("::", True), ("", True), ("192.0.2.7", True), ("desk", True), ("both", True), ("nowhere", True),
    ],
)  # fmt: skip
def test_an_address_that_others_reach_needs_tls_or_an_explicit_word(host: str, public: bool) -> None:
    assert is_public(host) is public
    if host == "nowhere":
        with pytest.raises(UnusableInput, match="no address of this machine"):
            check_exposure(host, replace(PLAIN, tls=True), insecure_http=True)
        return
    check_exposure(host, replace(PLAIN, tls=True), insecure_http=False)
    check_exposure(host, PLAIN, insecure_http=True)
    if public:
        with pytest.raises(UnusableInput, match="--insecure-http"):
            check_exposure(host, PLAIN, insecure_http=False)
    else:
        check_exposure(host, PLAIN, insecure_http=False)


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--host", "::"], ["--host", "desk", "--port", "9"]])
def test_the_command_refuses_as_a_wrong_call_before_it_touches_the_database(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.serving.engine_of", lambda *_, **__: pytest.fail("the database was opened"))
    said = CliRunner().invoke(cli, ["serve", *arguments])
    assert isinstance(said.exception, UnusableInput)
    assert said.exception.exit_code == 2
    assert "SUPERVISION_TLS" in str(said.exception)


@pytest.mark.parametrize(
    ("settings", "ok", "words"),
    [
        (PLAIN, True, "this machine only"),
        (replace(PLAIN, host="0.0.0.0"), False, "SUPERVISION_TLS=true"),
        (replace(PLAIN, tls=True), False, "SUPERVISION_ALLOWED_HOSTS"),
        (replace(PLAIN, tls=True, allowed_hosts="care.example.org"), True, "care.example.org"),
    ],
)
def test_the_doctor_says_how_we_are_served(settings: Settings, ok: bool, words: str) -> None:
    (found,) = doctor._serving(settings)
    assert found.ok is ok
    assert words in found.words


@pytest.mark.parametrize(
    ("name", "value"),
    [("log_format", "xml"), ("max_upload_mb", "0"), ("max_message_mb", "-1"), ("max_connections_per_address", "0"),
     ("require_origin", "perhaps")],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(UnusableInput, match=name):
        load({f"SUPERVISION_{name.upper()}": value})


def test_a_command_serves_this_machine_only_unless_told_otherwise() -> None:
    assert Settings().host == "127.0.0.1"
    assert not Settings().tls
