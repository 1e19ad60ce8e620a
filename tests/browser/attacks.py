"""What an attacker tries on a served practice; each returns how often it was tried and how often it worked."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Dialog, Page
from sqlalchemy import update

from dashboard.signin.cookie import COOKIE
from queries.engine import open_engine, writing
from queries.tables import User
from tests.browser.conftest import Served, settled, sign_in, supervision
from tests.factories import write_practice, write_table

COMMON = (
    "password1234", "qwertyuiop12", "letmein123456", "supervision1", "iloveyou1234", "administrator",
    "welcome12345", "trustno1trustno1", "1234567890ab", "correcthorsebatterystaple",
)  # fmt: skip
ADDRESSES = (
    "/static/../../../../etc/passwd", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/assets/../server.py",
    "/assets/%2e%2e%2fplotly.min.js/../../../etc/passwd", "/component/../../../../etc/passwd",
    "/component/x/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/media/../../etc/passwd", "/media/%2e%2e/demo.sqlite",
    "/app/static/../../etc/passwd", "/download/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/.streamlit/secrets.toml",
    "/.streamlit/config.toml", "/demo.sqlite", "/static/..%5c..%5cetc%5cpasswd", "/_stcore/../../etc/passwd",
)  # fmt: skip
CLOSED = (
    "/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent", "/media/x.csv", "/media/", "/docs",
    "/openapi.json", "/assets/plotly.min.js", "/download/x", "/_stcore/script-health-check",
)  # fmt: skip


@dataclass(frozen=True)
class Count:
    """Tries of an attack, and those that got what they were after."""

    tried: int
    worked: int
    what: str = ""


@dataclass(frozen=True)
class Target:
    """A served practice, its database and a browser."""

    browser: Browser
    served: Served
    db: str
    home: Path


MARK = "zq-"  # in every client code
SCRIPT = "window.__attacked=1"


def hostile_practice(db: str, home: Path) -> tuple[dict[str, str], dict[str, str]]:
    """A practice whose codes and names are markup, a row set aside, and people of every role: passwords and roles by name."""
    files = home / "files"
    tables = write_practice(files, today=datetime.now(UTC).date(), episodes=16)
    for number, row in enumerate(tables["clients"]):
        row["client_code"] = f"{MARK}{number} <img src=x onerror={SCRIPT}>"
    for row in tables["clinicians"]:
        row["display_name"] = f"{row['clinician_id']} <script>{SCRIPT}</script>"
    tables["scores"].append(tables["scores"][0] | {"value": 9999})
    for name in ("clients", "clinicians", "scores"):
        write_table(files / f"{name}.csv", tables[name])
    supervision("import", str(files), "--practice", f"<b onmouseover={SCRIPT}>Heron House</b>", db=db, home=home)
    passwords, roles = {}, {}
    for role in ("clinician", "supervisor", "director", "admin"):
        name, word = f"{role}.person", f"grey heron over the {role} mill"
        whose = {"clinician": ["--clinician", "00"], "supervisor": ["--clinician", "01"]}.get(role, [])
        supervision("user", "add", name, "--role", role, *whose, "--password-stdin", db=db, home=home, given=word)
        passwords[name], roles[name] = word, role
    return passwords, roles


def asked(
    target: Target, path: str, *, method: str = "GET", body: str = "", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """A request as it stands, without a browser that would tidy its path."""
    place = urlsplit(target.served.url)
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    sent = {"Host": place.netloc, "Content-Length": str(len(body))} | (headers or {})
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    content = b"" if answer.status == 101 else answer.read()
    connection.close()
    return answer.status, content


def upgraded(target: Target, origin: str | None) -> bool:
    """Whether the page's WebSocket opens for this origin."""
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "streamlit",
    }  # fmt: skip
    if origin is not None:
        headers["Origin"] = origin
    return asked(target, "/_stcore/stream", headers=headers)[0] == 101


def opened(target: Target, username: str | None = None, cookie: str | None = None) -> Page:
    """A window of its own: signed in by password, with a cookie that was come by, or neither."""
    context = target.browser.new_context()
    if cookie is not None:
        give_cookie(context, target, cookie)
    page = context.new_page()
    page.goto(target.served.url)
    if username is not None:
        sign_in(page, username, target.served.passwords[username])
        settled(page)
        page.wait_for_timeout(500)  # until the cookie is there
    return page


def give_cookie(context: BrowserContext, target: Target, value: str) -> None:
    context.add_cookies([{"name": COOKIE, "value": value, "url": target.served.url}])


def cookie_of(page: Page) -> str:
    return next(str(one["value"]) for one in page.context.cookies() if one["name"] == COOKIE)


def inside(page: Page) -> bool:
    """Whether somebody is signed in there once the page has come to rest."""
    page.reload()
    page.get_by_role("button", name="Sign in").or_(page.get_by_role("button", name="Sign out")).first.wait_for(
        timeout=30_000
    )
    page.wait_for_timeout(500)
    return page.get_by_role("button", name="Sign out").count() > 0


def stolen_cookie_after_sign_out(target: Target) -> Count:
    """A copied cookie, replayed in another browser once its owner has signed out."""
    owner = opened(target, target.served.of_role("director"))
    taken = cookie_of(owner)
    owner.get_by_role("button", name="Sign out").click()
    owner.get_by_role("button", name="Sign in").wait_for()
    thief = opened(target, cookie=taken)
    worked = [inside(thief), _program(target, taken)]
    return Count(len(worked), sum(worked), "page, figure program")


def _program(target: Target, cookie: str) -> bool:
    status, _ = asked(target, "/assets/plotly.min.js", headers={"Cookie": f"{COOKIE}={cookie}"})
    return status == 200


def disabled_in_mid_session(target: Target) -> Count:
    """Somebody who is disabled while their page is open does something more."""
    name = target.served.of_role("supervisor")
    page = opened(target, name)
    taken = cookie_of(page)
    supervision("user", "disable", name, db=target.db, home=target.home)
    page.locator("[data-testid=stTopNavLink]").nth(1).click()
    page.get_by_role("button", name="Sign in").wait_for(timeout=30_000)
    worked = [inside(page), _program(target, taken)]
    return Count(len(worked), sum(worked), "open page, figure program")


def role_changed_in_mid_session(target: Target) -> Count:
    """A director who becomes a clinician while a page is open still asks for what directors see."""
    name = target.served.of_role("director")
    page = opened(target, name)
    page.goto(target.served.url)
    settled(page)
    assert MARK in page.content(), "a director reads codes"
    _set_role(target, name, "clinician")
    worked = []
    try:
        for path in ("", "retention", "outcomes", "data-quality"):
            page.goto(f"{target.served.url}/{path}")
            page.get_by_text("Do not wait for supervision").or_(
                page.get_by_role("button", name="Sign in")
            ).first.wait_for()
            page.wait_for_timeout(1000)
            worked.append(MARK in page.content())
    finally:
        _set_role(target, name, "director")
    return Count(len(worked), sum(worked))


def _set_role(target: Target, name: str, role: str) -> None:
    engine = open_engine(target.db)
    with writing(engine) as connection:
        connection.execute(update(User).where(User.username == name).values(role=role))
    engine.dispose()


def fixed_session(target: Target) -> Count:
    """A session id that the attacker chose, planted before the victim signs in."""
    planted = secrets.token_urlsafe(32)
    context = target.browser.new_context()
    give_cookie(context, target, planted)
    page = context.new_page()
    page.goto(target.served.url)
    name = target.served.of_role("director")
    sign_in(page, name, target.served.passwords[name])
    settled(page)
    page.wait_for_timeout(500)
    worked = [cookie_of(page) == planted, _program(target, planted), inside(opened(target, cookie=planted))]
    return Count(len(worked), sum(worked), "kept, figure program, page")


def forged_codes(target: Target) -> Count:
    """One-time codes that nobody was given, guessed or malformed."""
    guesses = [secrets.token_urlsafe(32) for _ in range(50)] + ["", "x" * 199, "0", "' OR 1=1 --", "\\u0000", "null"]
    worked = [asked(target, "/session/bind", method="POST", body=one)[0] == 200 for one in guesses]
    return Count(len(worked), sum(worked))


def replayed_code(target: Target) -> Count:
    """The true one-time code of a sign-in, seen on its way, sent again."""
    context = target.browser.new_context()
    page = context.new_page()
    codes: list[str] = []
    page.on("request", lambda r: codes.append(r.post_data or "") if r.url.endswith("/session/bind") else None)
    page.goto(target.served.url)
    name = target.served.of_role("director")
    sign_in(page, name, target.served.passwords[name])
    settled(page)
    page.wait_for_timeout(500)
    assert codes, "no code was seen"
    worked = [asked(target, "/session/bind", method="POST", body=codes[0])[0] == 200 for _ in range(10)]
    return Count(len(worked), sum(worked))


def foreign_origins(target: Target) -> Count:
    """Other sites, and programs that name none, talk to the page or spend a code."""
    assert upgraded(target, target.served.url), "its own page must be let in"
    origins = (
        "http://evil.example",
        "https://localhost.evil.example",
        "null",
        f"{target.served.url}.evil.example",
        None,
    )
    worked = [upgraded(target, one) for one in origins]
    for site in ("cross-site", "same-site", "none"):
        status, _ = asked(target, "/session/bind", method="POST", body="x", headers={"Sec-Fetch-Site": site})
        worked.append(status == 200)
    worked.append(asked(target, "/", headers={"Host": "evil.example"})[0] == 200)
    return Count(len(worked), sum(worked))


def traversal(target: Target) -> Count:
    """Addresses that lead out of what is served."""
    marks = (b"root:", b"SQLite format", b"cookieSecret", b"import ", b"[server]")
    answers = [asked(target, one) for one in ADDRESSES]
    return Count(len(answers), sum(any(mark in body for mark in marks) for _, body in answers))


def closed_addresses(target: Target) -> Count:
    """What is not for anybody, or not for somebody who has not signed in."""
    answers = [asked(target, one)[0] for one in CLOSED]
    answers.append(asked(target, "/_stcore/upload_file/x/y", method="PUT", body="x")[0])
    return Count(len(answers), sum(one < 400 for one in answers))


def colleagues_link(target: Target) -> Count:
    """A download link of a director, used by a clinician and by nobody."""
    director = opened(target, target.served.of_role("director"))
    director.goto(f"{target.served.url}/data-quality")
    settled(director)
    links = [str(one.get_attribute("href")) for one in director.locator("a[href*='download/']").all()]
    assert links, "no link on the page"
    clinician = opened(target, target.served.of_role("clinician"))
    worked = []
    for link in links[:3]:
        path = "/" + urlsplit(link).path.lstrip("./")
        worked.append(asked(target, path)[0] == 200)
        worked.append(asked(target, path, headers={"Cookie": f"{COOKIE}={cookie_of(clinician)}"})[0] == 200)
    return Count(len(worked), sum(worked))


def stored_markup(target: Target) -> Count:
    """Markup that came with the data, on every page that shows it."""
    page = opened(target, target.served.of_role("director"))
    fired: list[str] = []

    def caught(dialog: Dialog) -> None:
        fired.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", caught)
    seen = 0
    for path in ("", "episode", "meeting", "alliance", "retention", "outcomes", "data-quality", "snapshots", "people"):
        page.goto(f"{target.served.url}/{path}")
        settled(page)
        fired += page.evaluate("window.__attacked ? ['ran'] : []")
        seen += 1
    return Count(seen, len(fired))


def _tries(page: Page, name: str, word: str) -> None:
    page.get_by_label("User name").fill(name)
    page.locator("input[type=password]").fill(word)
    page.get_by_role("button", name="Sign in").click(no_wait_after=True)


def _refused(page: Page) -> bool:
    """Whether the try was turned away, once there is an answer."""
    page.get_by_text("Sign-in did not work").or_(page.get_by_role("button", name="Sign out")).first.wait_for(
        timeout=60_000
    )
    return page.get_by_role("button", name="Sign out").count() == 0


def _windows(target: Target, count: int) -> list[Page]:
    pages = []
    for _ in range(count):
        page = target.browser.new_context().new_page()
        page.goto(target.served.url)
        page.get_by_label("User name").wait_for()
        pages.append(page)
    return pages


def parallel_guessing(target: Target) -> Count:
    """Eleven windows guess at once; after them the right password, from a browser that nobody knows, is past any limit."""
    name = target.served.of_role("admin")
    *wrong, right = _windows(target, 12)
    for number, page in enumerate(wrong):
        _tries(page, name, f"wrong guess number {number}")
    worked = [not _refused(page) for page in wrong]
    _tries(right, name, target.served.passwords[name])
    worked.append(not _refused(right))
    for page in (*wrong, right):
        page.context.close()
    return Count(len(worked), sum(worked))


def stuffing(target: Target) -> Count:
    """Common passwords on every name there is and on some there are not, from one address."""
    names = [*target.served.passwords, "nobody", "root"]
    tried, worked, answers = 0, 0, set()
    for word in COMMON[:2]:
        for name in names:
            (page,) = _windows(target, 1)
            _tries(page, name, word)
            tried, worked = tried + 1, worked + (not _refused(page))
            answers.add(page.get_by_role("alert").first.inner_text())
            page.context.close()
    assert len(answers) == 1, f"the answer tells who exists: {answers}"
    return Count(tried, worked)


ATTACKS: dict[str, Callable[[Target], Count]] = {
    "a stolen cookie after sign-out": stolen_cookie_after_sign_out,
    "a session id planted beforehand": fixed_session,
    "a forged one-time code": forged_codes,
    "a one-time code replayed": replayed_code,
    "a foreign or missing origin": foreign_origins,
    "a path that leads out": traversal,
    "a closed address": closed_addresses,
    "a colleague's download link": colleagues_link,
    "markup that came with the data": stored_markup,
    "a role changed in mid-session": role_changed_in_mid_session,
    "disabled in mid-session": disabled_in_mid_session,
    "twelve guesses at once": parallel_guessing,
    "common passwords on every name": stuffing,
}
