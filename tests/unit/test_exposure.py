"""Where the program serves by itself, where only when it is told to, and who is refused."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboard import exposure
from dashboard.cli import cli
from dashboard.errors import UnusableInput
from dashboard.exposure import check_exposure, is_public
from dashboard.settings import Settings

PLAIN = Settings(db="sqlite://")
NAMES = {"desk": "192.0.2.7", "both": "127.0.0.1", "here": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_command_serves_this_machine_only_unless_told_otherwise() -> None:
    assert Settings().host == "127.0.0.1"
    assert not Settings().tls
