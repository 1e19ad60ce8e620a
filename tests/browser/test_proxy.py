"""The reference nginx configuration, run: TLS, two replicas on one database, a replica that dies."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import ROOT, settled, sign_in, supervision
from tests.conftest import absent

pytestmark = pytest.mark.browser
CONF = ROOT / "dashboard" / "deploy" / "nginx.conf"
PASSWORD = "a long password"


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=os.environ | environment, cwd=log.parent, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "site.crt")  # made by this test


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            urllib.request.urlopen(url, timeout=5, context=_trusting(log.parent))
            return
        except (URLError, OSError):
            assert process.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < deadline, f"{url} did not answer"
            time.sleep(0.3)


@dataclass
class Site:
    """nginx in front: its address, its log, and the replicas by their port."""

    url: str
    log: Path
    replicas: dict[int, subprocess.Popen[bytes]]
    folder: Path


def _configuration(folder: Path, public: int, plain: int, ports: tuple[int, int]) -> Path:
    made = CONF.read_text("utf-8")
    for old, new in (
        ("listen 443", f"listen 127.0.0.1:{public}"), ("listen 80 ", f"listen 127.0.0.1:{plain} "),
        ("https://care.example.org$", f"https://localhost:{public}$"), ("server_name care.example.org", "server_name localhost"),
        ("/etc/ssl/care.example.org.crt", str(folder / "site.crt")), ("/etc/ssl/care.example.org.key", str(folder / "site.pem")),
        ("127.0.0.1:8501 ", f"127.0.0.1:{ports[0]} "), ("127.0.0.1:8502 ", f"127.0.0.1:{ports[1]} "),
        ("/var/log/nginx/", f"{folder}/"),
    ):  # fmt: skip
        assert old in made, old
        made = made.replace(old, new)
    if not Path("/etc/nginx/mime.types").is_file():
        made = made.replace("include /etc/nginx/mime.types;", "")
    path = folder / "nginx.conf"
    path.write_text(f"daemon off;\npid {folder}/nginx.pid;\n{made}", "utf-8")
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    nginx, openssl = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), shutil.which("openssl")
    if nginx is None or openssl is None:
        absent("nginx", "no nginx or openssl on this machine: install the nginx package to run the reference proxy")
    assert nginx
    assert openssl
    folder = tmp_path_factory.mktemp("site")
    db = f"sqlite:///{folder / 'p.sqlite'}"
    (folder / "clients.csv").write_text('client_id\nK1\n""\n', "utf-8")
    (folder / "episodes.csv").write_text("episode_id,client_id,clinician_id,opened_on\nE1,K1,C9,2026-01-05\n", "utf-8")
    supervision(
        "import", str(folder / "clients.csv"), str(folder / "episodes.csv"), "--practice", "P", db=db, home=folder
    )
    supervision(
        "user", "add", "d.d", "--role", "director", "--password-stdin", db=db, home=folder, given=f"{PASSWORD}\n"
    )
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "site.pem"),
         "-out", str(folder / "site.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    public, plain, first, second = _free(), _free(), _free(), _free()
    given = {"SUPERVISION_TLS": "true", "SUPERVISION_ALLOWED_HOSTS": "localhost", "SUPERVISION_DB": db,
             "XDG_DATA_HOME": str(folder)}  # fmt: skip
    with ExitStack() as running:
        replicas = {
            port: running.enter_context(
                _started(
                    [sys.executable, "-m", "dashboard", "serve", "--port", str(port)], folder / f"{port}.log", **given
                )
            )
            for port in (first, second)
        }
        for port, process in replicas.items():
            _answers(f"http://127.0.0.1:{port}/healthz", process, folder / f"{port}.log")
        conf = _configuration(folder, public, plain, (first, second))
        proxy = running.enter_context(
            _started([nginx, "-p", str(folder), "-e", f"{folder}/first.log", "-c", str(conf)], folder / "nginx.out")
        )
        _answers(f"https://localhost:{public}/healthz", proxy, folder / "nginx.out")
        yield Site(f"https://localhost:{public}", folder / "supervision.log", replicas, folder)


def _status(site: Site, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
    asked = urllib.request.Request(site.url + path, method=method, headers=headers)
    try:
        answer = urllib.request.urlopen(asked, timeout=20, context=_trusting(site.folder))
    except HTTPError as refused:
        return refused.code, dict(refused.headers)
    return answer.status, dict(answer.headers)


def test_sign_in_a_page_a_download_and_a_dead_replica_through_the_proxy(browser: Browser, site: Site) -> None:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" and "404" not in m.text else None)
    page.goto(site.url)
    sign_in(page, "d.d", PASSWORD)
    settled(page)
    cookies = {one["name"]: one for one in context.cookies()}
    ours = cookies["__Host-supervision_session"]
    assert (ours["secure"], ours["httpOnly"], ours["sameSite"]) == (True, True, "Strict")
    assert all(one["secure"] for one in cookies.values()), cookies
    page.get_by_role("link", name="Data quality").first.click()  # the page that was open before the cookie came
    page.locator("input[type=file]").first.set_input_files(
        {"name": "clients.csv", "mimeType": "text/csv", "buffer": b"client_id\nK3\n"}
    )
    page.get_by_text("clients.csv").first.wait_for()
    page.get_by_role("button", name="Read the files").click()
    page.get_by_text("Loaded.", exact=True).wait_for(timeout=60_000)
    page.goto(f"{site.url}/data-quality")
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Download the")).click()
    assert "episodes.csv" in Path(download.value.path()).read_text("utf-8-sig")
    assert trouble == []

    lines = site.log.read_text("utf-8").splitlines()
    asked = [line for line in lines if re.search(r" (/data-quality|/_stcore/upload_file/) 20[04] ", line)]
    assert len(asked) >= 2
    serving = {int(line.rsplit(":", 1)[1]) for line in asked}
    assert len(serving) == 1, "one browser, one replica"
    dead = site.replicas[serving.pop()]
    dead.kill()
    dead.wait(30)
    page.goto(f"{site.url}/about-signals")
    settled(page)
    assert page.get_by_role("button", name="Sign out").is_visible()
    context.close()
    logged = "".join(one.read_text("utf-8", "replace") for one in site.folder.glob("*.log"))
    assert ours["value"] not in logged
    assert str(download.value.url).rsplit("/", 1)[1] not in logged
    assert not re.search(r"/download/\S*\w{8}|d\.d\b|K1\b|E1\b", logged)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/_stcore/metrics", 404), ("/media/x.pdf", 404), ("/_stcore/agent/mcp", 404), ("/nothing", 404)],
)
def test_the_proxy_passes_on_and_keeps_closed_what_the_program_does(site: Site, path: str, status: int) -> None:
    assert _status(site, path)[0] == status


def test_an_answer_through_the_proxy_is_for_tls_only_and_names_no_program_of_ours(site: Site) -> None:
    status, headers = _status(site)
    said = {name.lower(): value for name, value in headers.items()}
    assert status == 200
    assert said["strict-transport-security"] == "max-age=31536000"
    assert "frame-ancestors 'none'" in said["content-security-policy"]
    assert said["server"] == "nginx"
    assert _status(site, "/_stcore/upload_file/s/f", method="PUT")[0] == 403
    assert _status(site, Host="evil.example")[0] in (400, 403, 421)
