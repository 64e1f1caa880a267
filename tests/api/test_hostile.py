"""Whatever is sent, the answer is no server error, and what is stored can be read again."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.throttling import SimpleRateThrottle

from coaching.services import imports
from tests.api import routes

HUGE = "9" * 400
# Refused for every door by the parser.
UNREADABLE = {
    "NUL": '"a\\u0000b"',
    "NUL in a key": '{"a\\u0000": 1}',
    "lone surrogate": '"\\ud800"',
    "lone surrogate in a key": '{"\\udfff": 1}',
    "reversed surrogates": '"\\udc00\\ud800"',
    "2,000 lists deep": "[" * 2000 + "]" * 2000,
    "100,000 lists deep": "[" * 100_000 + "]" * 100_000,
    "2,000 objects deep": '{"a":' * 2000 + "1" + "}" * 2000,
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "1e400": "1e400",
    "huge integer": HUGE,
    "20,000 digits": "9" * 20_000,
    "above 64 bits": str(2**63),
    "2 MB": '"' + "a" * 2_000_000 + '"',
    "unfinished": '{"a": ',
    "not JSON": "a=1&b=2",
    "not UTF-8": '"\xff\xfe"',
}
# JSON, but perhaps not what the door expects; each of its fields has to say.
ODD = {
    "null": "null",
    "true": "true",
    "list": "[]",
    "object": "{}",
    "object in a list": '[{"id": {"id": 1}}]',
    "empty text": '""',
    "1e308": "1e308",
    "negative": "-1",
    "64 bits": str(2**63 - 1),
    "long text": '"' + "ü" * 20_000 + '"',
    "unknown id": '"zzzzzzzzzzzz"',
    "markup": '"<script>alert(1)</script>"',
    "mail header": '"a\\r\\nBcc: all@example.com"',
    "first day": '"0001-01-01"',
    "last day": '"9999-12-31"',
}

NO_OBJECT = ("null", "true", "list", "object in a list", "negative", "markup")


def good_bodies(world) -> dict[str, dict | list | None]:
    person, learner, coach = (row.public_id for row in (world.person, world.learner, world.coach))
    reading = {
        "person": world.learner.key, "metric": "csat", "period": "2027-02-22",
        "n": 5, "sum": 20, "sumsq": 81,
    }  # fmt: skip
    return {
        "token": {"username": "mara", "password": "swim-lane-7"},
        "logout": {},
        "logout-all": {},
        "reading-list": [reading],
        "hand-raise-list": {"metric": "csat", "note": "Please"},
        "hand-raise-detail": {},
        "notice-read": {"until": "2027-03-01T00:00:00Z"},
        "import-list": {},
        "import-mapping": {"shape": "aggregated", "person": "agent", "metrics": []},
        "import-confirm": {"good_rows_only": True},
        "import-cancel": {},
        "scorecard-list": {"team": world.team.public_id},
        "scorecard-detail": {
            "name": "Skills", "weights": [{"metric": "csat", "weight": 2}],
            "peers_by": ["role"], "weeks": 8, "policy": "leaning",
        },
        "scorecard-rank": {},
        "cohort-list": {
            "ranking": world.ranking.public_id, "name": "Autumn",
            "test_date": "2027-06-01", "target_form": "gap_mean",
        },
        "cohort-plan": {},
        "plan-rules": {"kind": "forbid", "learner": learner, "coach": coach},
        "plan-rule": {},
        "plan-seats": {"coach": coach, "seats": 3},
        "plan-members": {"person": person, "change": "in", "side": "learner", "note": "Asked"},
        "plan-solve": {},
        "plan-launch": {"revision": 1},
        "pair-sessions": {"held_on": "2027-03-01", "note": "Openings"},
        "case-decision": {"decision": "everything", "note": "One more month."},
    }  # fmt: skip


def with_field(good: dict | list, field: str, hostile: str) -> str:
    row = good[0] if isinstance(good, list) else good
    fields = [f"{json.dumps(key)}: {json.dumps(row[key])}" for key in row if key != field]
    text = "{" + ", ".join([*fields, f'"{field}": {hostile}']) + "}"
    return f"[{text}]" if isinstance(good, list) else text


def test_every_write_is_put_to_the_test(world):
    assert {name for name, _ in routes.writes()} == good_bodies(world).keys()


@pytest.mark.parametrize(("name", "method"), sorted(routes.writes()))
def test_no_body_is_too_much(mara_api, world, monkeypatch, name, method):
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *_: True)
    good, url = good_bodies(world)[name], routes.url_of(name, world)
    bodies = {**UNREADABLE, **{title: ODD[title] for title in NO_OBJECT}}
    fields = list(good[0] if isinstance(good, list) else good)
    for field in fields:
        bodies |= {
            f"{field}: {title}": with_field(good, field, text) for title, text in ODD.items()
        }
    for title, text in bodies.items():
        encoding = "latin-1" if "not UTF-8" in title else "utf-8"
        answer = mara_api.generic(method, url, text.encode(encoding), "application/json")
        assert answer.status_code < 500, title
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json", title
    everything_is_readable(mara_api, world)


@pytest.mark.parametrize("name", ["hand-raise-list", "reading-list", "import-mapping"])
def test_what_cannot_be_read_is_refused_wherever_it_stands(mara_api, world, name):
    good, url = good_bodies(world)[name], routes.url_of(name, world)
    field = next(iter(good[0] if isinstance(good, list) else good))
    for title, text in UNREADABLE.items():
        encoding = "latin-1" if title == "not UTF-8" else "utf-8"
        body = with_field(good, field, text).encode(encoding)
        answer = mara_api.generic("post", url, body, "application/json")
        assert answer.status_code in (400, 413), title


@pytest.mark.parametrize("charset", ["bz2_codec", "utf-16", "rot13", "nonsense", "utf-8-sig"])
def test_no_charset_is_too_much(mara_api, csat, charset):
    answer = mara_api.generic(
        "post",
        "/api/v1/hand-raises/",
        b'{"metric": "csat"}',
        f"application/json; charset={charset}",
    )
    assert answer.status_code in (201, 400)


def everything_is_readable(client, world) -> None:
    for name in routes.names():
        if name.endswith(("-list", "-detail", "-looks", "-sessions")):
            answer = client.get(routes.url_of(name, world))
            assert answer.status_code in (200, 401, 405), name


FILTERS = {
    "person-list": ("team", "active", "search"),
    "reading-list": ("person", "metric", "since", "until"),
    "standing-list": ("metric", "band", "team", "search", "ordering"),
    "ranking-list": ("scorecard", "team"),
    "cohort-list": ("state", "team"),
    "pair-list": ("cohort", "state", "metric"),
    "case-list": ("open", "cohort"),
    "letter-list": ("kind", "pair"),
}
IN_ADDRESSES = (
    "a%00b", "%ED%A0%80", "abc", "-1", "1e400", HUGE, "9" * 5000, "2027-13-01",
    "%27%20OR%201=1--", "person__user__password",
)  # fmt: skip


def test_no_parameter_is_too_much(mara_api, world):
    for name in routes.names():
        if name.endswith("-list"):
            url = routes.url_of(name, world)
            for parameter in (*FILTERS.get(name, ()), "page"):
                for value in IN_ADDRESSES:
                    answer = mara_api.get(f"{url}?{parameter}={value}")
                    assert answer.status_code in (200, 400, 404), (name, parameter, value)


def test_unknown_ids_are_not_found(mara_api, world):
    for kind in ("teams", "people", "metrics", "imports", "scorecards", "rankings", "cohorts",
                 "plans", "pairs", "cases", "letters"):  # fmt: skip
        for segment in ("0", "1", "-", "_", "zzzzzzzzzzzz", "z" * 2000):
            assert mara_api.get(f"/api/v1/{kind}/{segment}/").status_code == 404


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\x00" * 50),
        ("../../a\x00.csv", b"agent,n,sum\nP1,1,1\n"),
        ("a.xlsx", b"PK\x03\x04not a workbook"),
        ("x" * 4000 + ".csv", b"\xff\xfe\x00"),
    ],
)
@pytest.mark.parametrize("mapping", [None, "{", "[]", "1e400", '{"shape": "\\ud800"}', "[" * 5000])
def test_no_upload_is_too_much(mara_api, filename, content, mapping, now):
    body = {"file": SimpleUploadedFile(filename, content)}
    if mapping is not None:
        body["mapping"] = mapping
    answer = mara_api.post("/api/v1/imports/", body, format="multipart")
    assert answer.status_code in (202, 400)
    imports.work_off(now=now)
    for row in mara_api.get("/api/v1/imports/").json()["results"]:
        assert mara_api.get(f"/api/v1/imports/{row['id']}/").status_code == 200
