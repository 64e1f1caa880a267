"""Whatever is sent, the answer is no server error, and what is stored can be read again."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from rest_framework.throttling import SimpleRateThrottle

from coaching.models import Cohort, Letter, Pair, Session
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
    "before the first moment": '"0001-01-01T00:00:00+14:00"',
    "after the last moment": '"9999-12-31T23:59:59-14:00"',
    "unknown key": '{"zzzzzzzzzzzz": 1}',
    "markup as key": '{"<script>": {"a": [1]}}',
}

NO_OBJECT = ("null", "true", "list", "object in a list", "negative", "markup")
# The parser is the same everywhere: all of the above at three doors, these at each.
AT_EVERY_DOOR = ("NUL", "unfinished", "2 MB", "not UTF-8")
# What these ask for may be refused all the same, for reasons of the world they are in.
REFUSED = (
    "channel-list", "channel-replay", "cohort-accept", "cohort-undo", "hand-raise-detail",
    "import-cancel", "import-confirm", "import-list", "import-mapping", "pair-side-helpers",
    "person-days-leave", "plan-detail", "plan-members", "plan-redo", "plan-wishes",
)  # fmt: skip
# Who is let in to write; everything else is Mara's.
WRITERS = {
    "hanna": ("letter-mark-sent", "letter-resend"),
    "lea": ("pair-help", "pair-plan", "pair-side-end", "pair-side-would-help", "pair-thanks",
            "pair-worksheets", "session-answer", "session-move", "channel-detail",
            "channel-replay", "channel-test"),
}  # fmt: skip


def good_bodies(world) -> dict[str, dict | list | None]:
    """By route; None where no body is asked for."""
    person, learner, coach = (row.public_id for row in (world.person, world.learner, world.coach))
    first, second = world.plan.draft_pairs.order_by("pk")[:2]
    reading = {
        "person": world.learner.key, "metric": "csat", "period": "2027-02-22",
        "n": 5, "sum": 20, "sumsq": 81,
    }  # fmt: skip
    return {
        "token": {"username": "mara", "password": "swim-lane-7"},
        "logout": None,
        "logout-all": None,
        "reading-list": [reading],
        "hand-raise-list": {"metric": "csat", "note": "Please"},
        "hand-raise-detail": None,
        "my-preferences": {
            "off": ["digest"], "working_days": "123", "day_begins": "09:00", "day_ends": "18:00",
            "time_zone": "Asia/Tokyo", "reads": "de", "paused_until": "2027-03-10",
        },
        "my-calendar": None,
        # Not public: nothing is looked up.
        "channel-list": {"kind": "webhook", "url": "https://127.0.0.1/"},
        "channel-detail": None,
        "channel-test": None,
        "channel-replay": {},
        "notice-read": {"until": "2027-03-01T00:00:00Z"},
        "import-list": {},
        "import-mapping": {"shape": "aggregated", "person": "agent", "metrics": []},
        "import-confirm": {"good_rows_only": True},
        "import-cancel": None,
        "scorecard-list": {"team": world.team.public_id},
        "scorecard-detail": {
            "name": "Skills", "weights": [{"metric": "csat", "weight": 2}],
            "peers_by": ["role"], "weeks": 8, "policy": "leaning",
        },
        "scorecard-rank": None,
        "cohort-list": {
            "ranking": world.ranking.public_id, "name": "Autumn", "test_date": "2027-06-01",
            "target_form": "gap_mean", "policy": "quota", "q": 0.2, "quota": 3,
        },
        "cohort-plan": None,
        "cohort-select": {"policy": "quota", "q": 0.2, "quota": 3},
        "cohort-undo": None,
        "cohort-accept": {"coach": coach},
        "cohort-drop": {"note": "Has changed teams."},
        "plan-detail": {"name": "With late shifts"},
        "plan-rules": {"kind": "forbid", "learner": learner, "coach": coach},
        "plan-rule": None,
        "plan-rule-price": {"kind": "forbid", "learner": learner, "coach": coach},
        "plan-seats": {"coach": coach, "seats": 3},
        "plan-members": {"person": person, "change": "in", "side": "learner", "reason": "Asked"},
        "plan-solve": None,
        "plan-wishes": {
            "preferences": {"site": 50}, "weights": {"csat": 2}, "floor": 100, "lot": 7,
            "wants": {learner: 1},
        },
        "plan-swap": {"one": first.public_id, "other": second.public_id},
        "plan-swap-price": {"one": first.public_id, "other": second.public_id},
        "plan-undo": None,
        "plan-redo": None,
        "plan-copy": {"name": "Another way"},
        "plan-launch": {"revision": 1},
        "person-days-leaves": {"first_day": "2027-03-02", "last_day": "2027-03-05"},
        "person-days-leave": None,
        "person-days-left": None,
        "pair-sessions": {"held_on": "2027-03-01", "note": "Openings"},
        "pair-plan": {"starts_at": "2027-03-09T09:00:00Z", "minutes": 45, "place": "Room 2"},
        "pair-worksheets": {
            "week": "2027-03-01", "went": "Well", "will_try": "Questions", "coach_does": "Listens",
        },
        "pair-help": {"note": "We are stuck."},
        "pair-thanks": {"text": "Your questions helped."},
        "pair-side-end": None,
        "pair-side-helper": None,
        "pair-side-helpers": {"person": world.helper.public_id},
        "pair-side-would-help": {"willing": True},
        "session-answer": {"answer": "missed", "note": "Ill"},
        "session-move": {"starts_at": "2027-03-08T09:00:00Z", "minutes": 30, "place": "Room 3"},
        "letter-mark-sent": None,
        "letter-resend": None,
        "case-decision": {
            "decision": "everything", "note": "One more month.", "weeks": 4,
            "clinic": {
                "led_by": world.pair.coach.public_id, "starts_at": "2027-03-09T09:00:00Z",
                "minutes": 60, "place": "Room 2", "pairs": [],
            },
            "other_coach": False,
        },
    }  # fmt: skip


def with_field(good: dict | list, field: str, hostile: str) -> str:
    row = good[0] if isinstance(good, list) else good
    fields = [f"{json.dumps(key)}: {json.dumps(row[key])}" for key in row if key != field]
    text = "{" + ", ".join([*fields, f'"{field}": {hostile}']) + "}"
    return f"[{text}]" if isinstance(good, list) else text


def odd_fields(good: dict | list) -> dict[str, str]:
    """The good body with each field odd in every way, and each field of a field."""
    bodies = {}
    row = good[0] if isinstance(good, list) else good
    for field, value in row.items():
        for title, text in ODD.items():
            bodies[f"{field}: {title}"] = with_field(good, field, text)
            for inner in value if isinstance(value, dict) else ():
                nested = with_field(value, inner, text)
                bodies[f"{field}/{inner}: {title}"] = with_field(good, field, nested)
    return bodies


def make_ready(name: str, world) -> None:
    """The world in which this route would do what it is asked for."""
    if name.startswith("session-"):
        Session.objects.update(state="planned", held_on=None, starts_at=world.pair.started_at)
    elif name.startswith("letter-"):
        Letter.objects.filter(pk=world.letter.pk).update(state=Letter.State.UNCERTAIN)
    elif name == "pair-side-would-help":
        Pair.objects.filter(pk=world.pair.pk).update(
            state="passed", passed_at=world.pair.started_at
        )
    elif name in ("cohort-accept", "cohort-drop"):
        Cohort.objects.filter(pk=world.cohort.pk).update(
            state=Cohort.State.LIVE, launched_at=world.pair.started_at
        )


def test_every_write_is_put_to_the_test(world):
    assert {name for name, _ in routes.writes()} == good_bodies(world).keys()


@pytest.mark.parametrize(("name", "method"), sorted(routes.writes()))
def test_no_body_is_too_much(api, mara, lea, hanna, world, monkeypatch, name, method):
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *_: True)
    people = {"lea": lea, "hanna": hanna}
    writer = next((people[who] for who, names in WRITERS.items() if name in names), mara)
    client, good, url = api(writer), good_bodies(world)[name], routes.url_of(name, world)
    make_ready(name, world)
    reader = client if writer == mara else api(mara)
    bodies = {title: UNREADABLE[title] for title in AT_EVERY_DOOR}
    if method != "delete" and good is not None:
        bodies |= {title: ODD[title] for title in NO_OBJECT} | odd_fields(good)
    # Each meets the world as it was: what one has changed hides nothing from the next.
    for title, text in bodies.items():
        encoding = "latin-1" if "not UTF-8" in title else "utf-8"
        with transaction.atomic():
            answer = client.generic(method, url, text.encode(encoding), "application/json")
            assert answer.status_code < 500, title
            if answer.status_code >= 400:
                assert answer["Content-Type"] == "application/problem+json", title
            else:
                everything_is_readable(reader, world, name.split("-")[0] + "-detail")
            transaction.set_rollback(True)
    if name not in REFUSED:
        answer = getattr(client, method)(url, good)
        assert answer.status_code < 300, answer.content
    everything_is_readable(reader, world)


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


# The same whatever is stored.
SAME = ("docs", "schema", "plan-launch-letters", "plan-prices", "plan-floors", "plan-compare")
# Between a coach and a learner: a manager gets 404.
BETWEEN_TWO = ("pair-thanks",)


def everything_is_readable(client, world, kind: str = "") -> None:
    for name in routes.reads():
        if name.startswith(kind) and name not in (*SAME, *BETWEEN_TWO):
            answer = client.get(routes.url_of(name, world))
            assert answer.status_code in (200, 401), name


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


@pytest.mark.parametrize("name", ["plan-solve", "plan-launch"])
def test_no_revision_is_too_much(mara_api, world, name):
    for tag in (
        "",
        '"',
        '""',
        '"-1"',
        f'"{HUGE}"',
        '"' + "9" * 5000 + '"',
        '"\xb2"',
        'W/"x"',
        "1e400",
    ):
        answer = mara_api.post(routes.url_of(name, world), {}, headers={"If-Match": tag})
        assert answer.status_code in (200, 400, 412), tag


def test_no_number_in_an_address_is_too_much(mara_api, world):
    cohort, person = world.cohort.public_id, world.person.public_id
    for number in ("0", str(2**63), HUGE, "9" * 5000):
        for answer in (
            mara_api.post(f"/api/v1/cohorts/{cohort}/waiting/{number}/accept/", {}),
            mara_api.post(f"/api/v1/cohorts/{cohort}/waiting/{number}/drop/", {"note": "a"}),
            mara_api.delete(f"/api/v1/people/{person}/leaves/{number}/"),
        ):
            assert answer.status_code == 404, number


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
