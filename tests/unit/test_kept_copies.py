"""Which automatic copies stay, and where a key comes from."""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import settings as configuration
from dashboard.errors import UnusableInput
from dashboard.keeping.automatic import Copy, kept
from dashboard.keeping.key import key_of, new_key
from dashboard.settings import Settings

TODAY = date(2026, 11, 25)
RULE = {"daily": 7, "weekly": 4, "monthly": 12}


def daily_copies(days: int) -> list[Copy]:
    moments = [datetime.combine(TODAY - timedelta(days=n), time(3)) for n in range(days)]
    return [Copy(Path(f"{moment:%Y%m%d}"), moment, "daily") for moment in moments]


def test_after_two_years_seven_days_four_weeks_and_twelve_months_are_kept() -> None:
    stay = kept(daily_copies(730), **RULE)
    days = sorted((copy.made_at.date() for copy in stay), reverse=True)
    assert days[:7] == [TODAY - timedelta(days=n) for n in range(7)]
    weeks = [date(2026, 11, 15), date(2026, 11, 8)]  # Sundays; the two younger ones are among the days
    months = [date(2026, 11, 1) - timedelta(days=1)]
    assert days[7:10] == [*weeks, *months]
    assert len(stay) == 7 + 2 + 11
    assert days[-1] == date(2025, 12, 31)


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 23), st.sampled_from(["daily", "migration"])), min_size=1)
)
@settings(max_examples=60)
def test_the_newest_copy_always_stays_and_pruning_twice_is_pruning_once(
    made: list[tuple[int, int, str]],
) -> None:
    copies = [
        Copy(Path(str(n)), datetime.combine(TODAY - timedelta(days=days), time(hour)), why)
        for n, (days, hour, why) in enumerate(made)
    ]
    stay = kept(copies, **RULE)
    assert max(copies, key=lambda copy: copy.made_at).made_at in {copy.made_at for copy in stay}
    assert kept(list(stay), **RULE) == stay
    assert len(stay) <= 7 + 4 + 12 + 1


def test_the_environment_stands_before_the_file_and_no_key_is_no_encryption(tmp_path: Path) -> None:
    file = tmp_path / "key"
    new_key(file)
    assert os.stat(file).st_mode & 0o777 == 0o600
    made = key_of(Settings(key_file=str(file)))
    assert made is not None
    assert len(made) == 64
    assert key_of(Settings(key_file=str(file), key="a long passphrase")) == "a long passphrase"
    assert key_of(Settings()) is None
    with pytest.raises(UnusableInput, match="never written over"):
        new_key(file)


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [(0o644, "a" * 64, "chmod 600"), (0o600, "", "empty"), (0o600, "short", "shorter")],
)
def test_a_key_file_that_is_open_to_others_empty_or_short_is_refused(
    tmp_path: Path, mode: int, content: str, words: str
) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(UnusableInput, match=words):
        key_of(Settings(key_file=str(file)))


def test_the_keyring_is_asked_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    held = {("supervision", "database"): "from the keyring", ("supervision", "north"): "of another one"}
    monkeypatch.setattr(keyring, "get_password", lambda service, name: held.get((service, name)))
    assert key_of(Settings(key_keyring="true")) == "from the keyring"
    assert key_of(Settings(key_keyring="north")) == "of another one"
    with pytest.raises(UnusableInput, match="holds no key"):
        key_of(Settings(key_keyring="south"))


def test_a_key_is_never_in_a_settings_file_nor_in_what_is_printed_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("key = 'a long passphrase'\n")
    with pytest.raises(UnusableInput, match="does not belong"):
        configuration.load({"SUPERVISION_CONFIG": str(file)})
    loaded = configuration.load({"SUPERVISION_KEY": "a long passphrase"})
    assert loaded.key == "a long passphrase"
    assert "passphrase" not in repr(loaded)
