"""The built-in instruments against the list they were made from, and a practice's own."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dashboard.errors import UnusableInput
from dashboard.instruments import BUILT_IN, registry
from dashboard.instruments.own import read_own

LISTED = Path(__file__).resolve().parents[3] / "shared" / "instruments.csv"

OWN = """
[[instrument]]
key = "bdi2"
name = "Beck Depression Inventory II"
kind = "outcome"
minimum = 0
maximum = 63
better = "lower"
reliability = 0.801
sd_clinical = 8.16
mean_clinical = 35.48
mean_functional = 7.69
sd_functional = 7.52
cutoff_rule = "c"
source = "where the numbers come from"
"""


def listed() -> list[dict[str, str]]:
    if not LISTED.is_file():
        pytest.skip("the list ../shared/instruments.csv is not on this machine")
    with LISTED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def test_every_listed_instrument_is_built_in_with_its_plain_numbers() -> None:
    rows = listed()
    assert {row["key"] for row in rows} == set(BUILT_IN)
    fields = {
        "score_min": "minimum",
        "score_max": "maximum",
        "item_min": "item_minimum",
        "item_max": "item_maximum",
        "n_items": "items",
        "cutoff": "cutoff",
        "reliable_change": "reliable_change",
        "sd_clinical": "sd_clinical",
        "mean_clinical": "mean_clinical",
        "mean_functional": "mean_functional",
        "sd_functional": "sd_functional",
    }
    for row in rows:
        one = BUILT_IN[row["key"]]
        scored_here = one.item_minimum is not None
        assert scored_here or one.note, "items that cannot be scored here say why"
        for theirs, ours in fields.items():
            if ours in ("item_minimum", "item_maximum") and not scored_here:
                continue
            if (plain := number(row[theirs])) is not None:
                assert getattr(one, ours) == plain, (row["key"], theirs)
        assert one.better == ("lower" if row["direction"].startswith("lower") else "higher")
        assert one.kind == ("alliance" if row["domain"].startswith("alliance") else "outcome")
        assert one.name == row["name"]


def test_the_variant_range_refuses_a_total_of_the_other_k10() -> None:
    """Worked example 14: the US variant runs 0 to 40, the built-in one 10 to 50."""
    low, high = BUILT_IN["k10"].range_of("total") or (0, 0)
    assert (low, high) == (10, 50)
    own = read_own(
        '[[instrument]]\nkey="k10"\nname="K10 (US)"\nkind="outcome"\nminimum=0\nmaximum=40\nbetter="lower"\nsource="ABS"',
        "instruments.toml",
    )
    assert registry(own)["k10"].range_of("total") == (0, 40)


@pytest.mark.parametrize(
    ("key", "scale", "expected"),
    [
        ("phq9", "total", (0, 27)),
        ("phq9", "item_9", (0, 3)),
        ("phq9", "item_10", None),
        ("phq9", "item_09", None),
        ("phq9", "item_0", None),
        ("phq9", "item_x", None),
        ("phq9", "bond", None),
        ("wai_sr", "bond", (4, 20)),
        ("dass21", "stress", (0, 42)),
        ("who5", "total", (0, 100)),
        ("sai", "total", None),  # its response format is not published: the practice must define it
    ],
)
def test_a_scale_has_the_range_its_instrument_gives_it(
    key: str, scale: str, expected: tuple[float, float] | None
) -> None:
    assert BUILT_IN[key].range_of(scale) == expected


@pytest.mark.parametrize("one", BUILT_IN.values(), ids=BUILT_IN)
def test_every_instrument_names_its_licence_and_sources_and_no_licensed_item_text(one: object) -> None:
    assert getattr(one, "licence", "")
    assert getattr(one, "source", "")
    assert not hasattr(one, "item_text")


def test_risk_items_are_those_of_the_science_notes() -> None:
    assert {key: one.risk_items for key, one in BUILT_IN.items() if one.risk_items and key in ("phq9", "core10")} == {
        "phq9": (9,),
        "core10": (6,),
    }


def test_a_practices_own_instrument_gets_its_cutoff_from_norms() -> None:
    """c = (8.16 x 7.69 + 7.52 x 35.48) / (8.16 + 7.52) = 21.02; 1.96 x sqrt(2) x 8.16 x sqrt(1 - .801) = 10.09."""
    own = registry(read_own(OWN, "instruments.toml"))["bdi2"]
    assert own.cutoff == pytest.approx(21.02, abs=0.005)
    assert own.reliable_threshold == pytest.approx(10.09, abs=0.005)
    assert own.rc_inclusive is False


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ('key = "bdi2"|key = "BDI II"', "key"),
        ("maximum = 63|maximum = -1", "maximum must be above minimum"),
        ('cutoff_rule = "c"|cutoff_rule = "d"', "cutoff_rule"),
        ('cutoff_rule = "c"|cutoff_rule = "c"\ncutoff = 20', "either cutoff or cutoff_rule"),
        ("sd_functional = 7.52|# sd", "sd_functional"),
        ('kind = "outcome"|kind = "mood"', "kind"),
        ("reliability = 0.801|reliability = 1.5", "reliability"),
        ('better = "lower"|better = "down"', "better"),
        ('source = "where the numbers come from"|colour = "red"', "colour|source"),
        ("minimum = 0|minimum = nan", "minimum|maximum"),
        ("[[instrument]]|[instrument]", "instrument"),
        ('name = "Beck|name = Beck', "TOML"),
        ("minimum = 0|minimum = 0\nreverse = [3]", "reverse"),
    ],
)
def test_a_wrong_instrument_file_is_refused_naming_file_instrument_and_field(change: str, named: str) -> None:
    old, new = change.split("|")
    assert old in OWN
    with pytest.raises(UnusableInput, match=f"(?s)instruments.toml.*({named})"):
        read_own(OWN.replace(old, new), "instruments.toml")


def test_one_key_twice_is_refused() -> None:
    with pytest.raises(UnusableInput, match="twice"):
        read_own(OWN + OWN, "instruments.toml")


def test_a_field_with_an_endless_name_is_refused_in_a_few_words() -> None:
    words = (
        f'[[instrument]]\nkey = "own"\nname = "Own"\nkind = "outcome"\n{"a" * 100_000} = 1\nminimum = 0\nmaximum = 10\n'
    )
    with pytest.raises(UnusableInput) as refused:
        read_own(words + 'better = "lower"\nsource = "the practice"\n', "instruments.toml")
    assert len(str(refused.value)) < 300
