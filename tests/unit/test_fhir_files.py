"""FHIR files as they come: whole, cut off, hostile or not FHIR at all; and when the model library has a say."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.errors import UnusableInput
from dashboard.intake import Limits
from dashboard.intake.fhir import fhir_tables, read_fhir
from dashboard.intake.fhir.models import RELEASES, Judge
from tests.fhir import (
    DATA,
    Resource,
    appointment,
    bundle,
    care,
    encounter,
    items,
    observation,
    patient,
    practitioner,
    read,
    reasons,
    response,
    rows,
    table,
)

WHOLE = [
    patient(birthDate="1980-05-17"),
    practitioner(),
    care(),
    appointment(),
    encounter(),
    observation(),
    response(items([1] * 9)),
]


def _lines(*resources: Resource) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in resources).encode()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.json", lambda: json.dumps(bundle(*WHOLE)).encode()),
        ("a.json.gz", lambda: gzip.compress(json.dumps(bundle(*WHOLE), indent=2).encode())),
        ("a.ndjson", lambda: _lines(*WHOLE)),
        ("A.NDJSON.GZ", lambda: gzip.compress(_lines(*WHOLE))),
        ("a.ndjson", lambda: b"\xef\xbb\xbf" + _lines(*WHOLE).replace(b"\n", b"\r\n\r\n")),
        ("a.ndjson", lambda: _lines(bundle(*WHOLE))),
        ("a.json", lambda: json.dumps({"entry": bundle(*WHOLE)["entry"], "x": [1], "resourceType": "Bundle"}).encode()),
        ("a.json", lambda: json.dumps(bundle(bundle(*WHOLE))).encode("utf-8-sig")),
    ],
)
def test_every_form_of_a_file_gives_the_same_tables(tmp_path: Path, name: str, pack: Callable[[], bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(pack())
    made = read_fhir([path], Limits(), timezone="UTC")
    plain = read(tmp_path, *WHOLE)
    assert [one.name for one in made.tables] == ["clinicians", "clients", "episodes", "appointments", "scores"]
    for one in plain.tables:
        assert table(made, one.name).drop("file", "line").equals(one.rows.drop("file", "line")), one.name
    assert reasons(made) == []


def _bomb() -> bytes:
    return gzip.compress(b" " * 4_000_000)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b"", "not one whole JSON document"),
        ("a.json", b"[1]", "not one whole JSON document"),
        ("a.json", b"{}", "no resourceType"),
        ("a.json", b'{"resourceType": 5}', "no resourceType"),
        ("a.json", json.dumps(bundle(*WHOLE)).encode()[:-40], "not one whole JSON document"),
        ("a.json", b'{"resourceType": "Patient", "x": NaN}', "NaN is no number"),
        ("a.json", b'{"resourceType": "Patient", "x": ' + b"1" * 5000 + b"}", "not one whole JSON document"),
        ("a.json", _lines(patient(), patient("p2")), "name a file of one resource per line .ndjson"),
        ("a.json", b'{"resourceType": "Patient", "x": ' + b"[" * 100_000, "nested too deeply"),
        ("a.json", b'{"resourceType": "Patient", "id": "\xff"}', "line 1 is not UTF-8"),
        ("a.ndjson", b'\n{"resourceType": "Patient", "id": "\xff"}', "line 2 is not UTF-8"),
        ("a.ndjson", '{"resourceType": "Patient"}'.encode("utf-16"), "UTF-16"),
        ("a.json.gz", b"no gzip", "not a whole gzip file"),
        ("a.ndjson.gz", gzip.compress(_lines(*WHOLE))[:-9], "not a whole gzip file"),
        ("a.ndjson.gz", _bomb(), "larger than 1 MB unpacked"),
        ("a.json", json.dumps(patient(name=[{"text": "x" * 400_000}])).encode(), "one JSON document larger than 0 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnusableInput, match=says) as refused:
        fhir_tables(path, Limits(unpacked_mb=1))
    assert str(refused.value).startswith(f"{name}: ")


def test_a_line_that_is_no_resource_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    bad = [b'{"resourceType": "Obs', b"[]", b'{"id": "x"}', b'{"resourceType": "Patient", "x": NaN}', b"[" * 5000]
    path.write_bytes(_lines(patient()) + b"\n".join(bad) + b"\n" + _lines(observation()))
    found = read_fhir([path], Limits(), timezone="UTC")
    assert rows(found, "scores", "line") == [(7,)]
    assert found.aside["line"].to_list() == [2, 3, 4, 5, 6]


BROKEN: list[tuple[Resource, str]] = [
    ({**observation(), "status": None}, "status"),
    ({name: one for name, one in observation().items() if name != "code"}, "code"),
    (observation(value="twelve"), "value"),
    (observation(valueString="also"), "Any of one field value"),
    (observation(effectiveDateTime="2026-13-45"), "effectiveDateTime"),
    (observation(contained=[{"resourceType": "Nonsense"}]), "cannot judge it"),
    (observation(modifierExtension=[{"url": "http://x/not", "valueBoolean": True}]), "modifierExtension"),
    (patient(birthDate=["1980"]), "birthDate"),
    ({**encounter(), "class": []}, "class"),
    (response([{"answer": [{"valueInteger": 1}]}]), "linkId"),
    (appointment(participant=None), "participant"),
]


@pytest.mark.parametrize(("broken", "says"), BROKEN)
def test_an_invalid_resource_is_set_aside_with_what_and_why_and_the_rest_goes_on(
    tmp_path: Path, broken: Resource, says: str
) -> None:
    found = read(tmp_path, patient("other"), broken, observation(id="fine", subject={"reference": "Patient/other"}))
    assert rows(found, "scores", "line") == [(3,)]
    said = found.aside.row(0, named=True)
    assert (said["file"], said["line"], said["column"]) == ("all.ndjson", 2, broken["resourceType"])
    assert says in said["reason"]
    assert "\n" not in said["reason"]


@pytest.mark.parametrize(
    "odd", [{"vendorField": 1}, {"text": {"status": "wrong", "div": 5}}, {"note": []}, {"interpretation": "high"}]
)
def test_a_fault_in_what_is_not_read_is_reported_and_keeps_nothing_out(tmp_path: Path, odd: Resource) -> None:
    found = read(tmp_path, patient(), observation(**odd))
    assert rows(found, "scores", "value") == [("12",)]
    assert all(one.startswith("taken; ") for one in reasons(found))


@pytest.mark.parametrize("day", [20260105, 1.5, True])
def test_a_day_that_is_no_text_stays_what_it_is_and_is_refused_by_the_checks(tmp_path: Path, day: Any) -> None:
    found = read(tmp_path, patient(birthDate=day), observation(effectiveDateTime=day))
    assert rows(found, "scores", "taken_on") in ([(str(day),)], [])


def test_ids_with_an_underscore_and_times_without_an_offset_are_widespread_and_taken(tmp_path: Path) -> None:
    found = read(tmp_path, patient("p_1"), observation(day="2026-01-05T23:30", subject={"reference": "Patient/p_1"}))
    assert rows(found, "scores", "episode_id", "taken_on") == [("Patient/p_1", "2026-01-05")]


def test_other_resources_are_counted_and_files_that_are_no_fhir_are_left_alone_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "b.ndjson").write_bytes(_lines({"resourceType": "Condition"}, {"resourceType": "Condition"}))
    paths = sorted(tmp_path.iterdir())
    found = read_fhir(paths, Limits(), timezone="UTC", in_folder=frozenset(paths))
    assert found.unused == {
        "b.ndjson": ["2 Condition resources are not read"],
        "report.json": ["1 document without a resourceType, so not FHIR"],
    }
    with pytest.raises(UnusableInput, match=r"report\.json: it has no resourceType"):
        read_fhir(paths, Limits(), timezone="UTC")


def _library_accepts(resource: Resource) -> bool:
    for package in RELEASES.values():
        module = import_module(f"{package}.{resource['resourceType'].lower()}")
        try:
            getattr(module, resource["resourceType"]).model_validate(resource)
        except Exception:  # noqa: S112 - whatever it raises, it does not accept
            continue
        return True
    return False


JUNK: list[Any] = [
    None,
    "",
    "x",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    [None],
    [{}],
    {"x": 1},
    "2026-13-01",
    {"value": "1"},
    {"reference": 3},
]


def _places(one: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = list(one.items()) if isinstance(one, dict) else list(enumerate(one)) if isinstance(one, list) else []
    return [place for name, value in inner for place in [(*path, name), *_places(value, (*path, name))]]


@settings(max_examples=60)
@given(data=st.data())
def test_judging_by_parts_never_accepts_what_the_library_refuses_as_a_whole(data: st.DataObject) -> None:
    judge = Judge()
    for one in WHOLE:  # twice, so that it has learnt every shape and part
        assert judge.objection(one) == (None, None)
        assert judge.objection(one) == (None, None)
    for _ in range(6):
        changed = deepcopy(data.draw(st.sampled_from(WHOLE)))
        place = data.draw(st.sampled_from([one for one in _places(changed) if one[0] != "resourceType"]))
        inside: Any = changed
        for step in place[:-1]:
            inside = inside[step]
        if data.draw(st.booleans()):
            inside[place[-1]] = data.draw(st.sampled_from(JUNK))
        else:
            del inside[place[-1]]
        assert (judge.objection(changed) == (None, None)) == _library_accepts(changed)


@settings(max_examples=25)
@given(order=st.permutations(range(len(WHOLE) + 3)), cut=st.integers(0, len(WHOLE) + 3), twice=st.integers(0, 9))
def test_order_split_and_repetition_of_lines_never_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int, twice: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    more = [observation(n, id=f"x{n}", day=f"2026-02-0{n}") for n in (1, 2, 3)]
    every = [*WHOLE, *more]
    mixed = [every[n] for n in order]
    mixed.append(every[twice])
    (folder / "a.ndjson").write_bytes(_lines(*mixed[:cut]))
    (folder / "b.ndjson").write_bytes(_lines(*mixed[cut:]))
    found = read_fhir([folder / "b.ndjson", folder / "a.ndjson"], Limits(), timezone="UTC")
    straight = read(folder, *every)
    for one in straight.tables:
        columns = [c for c in one.rows.columns if c not in ("file", "line")]
        assert sorted(table(found, one.name).select(columns).rows(), key=str) == sorted(
            one.rows.select(columns).rows(), key=str
        )


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_is_done_to_a_file_only_unusable_input_is_raised(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    raw = bytearray(_lines(*WHOLE) if data.draw(st.booleans()) else json.dumps(bundle(*WHOLE)).encode())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                raw[place] = data.draw(st.integers(0, 255))
            case 1:
                del raw[place : place + data.draw(st.integers(1, 60))]
            case _:
                raw[place:place] = data.draw(
                    st.sampled_from([b"[", b"{", b"null", b"\\ud800", b"1e999", b"\0", b'"', b"-"])
                )
        if not raw:
            return
    path = folder / data.draw(st.sampled_from(["a.json", "a.ndjson"]))
    path.write_bytes(bytes(raw))
    try:
        fhir_tables(path, Limits())
    except UnusableInput:
        return


@pytest.mark.parametrize("name", sorted(one.name for one in DATA.glob("*.json")))
def test_every_kept_example_is_read_without_a_fault(name: str) -> None:
    found = read_fhir([DATA / name], Limits(), timezone="UTC")
    assert all("panel" in one for one in reasons(found))
