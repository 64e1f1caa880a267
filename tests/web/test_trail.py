"""The audit trail: every verb has words, and everybody reads what is theirs to read."""

import ast
import csv
import io
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

import coaching
from coaching.domain import progress
from coaching.models import Case, Event, Pair
from coaching.queries import trail as queries
from coaching.services import audit
from coaching.web import trail
from tests import factories

SERVICES = Path(coaching.__file__).parent / "services"
# What a verb that is put together at run time may come to, by how it begins.
PUT_TOGETHER = {
    "case decided: ": [f"case decided: {word.lower()}" for _, word in Case.Decision.choices],
    "pair ended: ": [f"pair ended: {word.lower()}" for _, word in Pair.Ending.choices],
    "pair ": [f"pair {state.value.replace('_', ' ')}" for state in progress.State],
    "letter.": ["letter.resent", "letter.marked_sent"],
}


def verbs_in_the_source() -> set[str]:
    """Every verb that a service gives to `audit.record`, also by way of a helper of its own."""
    found: set[str] = set()
    for path in SERVICES.rglob("*.py"):
        tree = ast.parse(path.read_text())
        # Helpers that hand a verb on: the name of the function, and where it takes it.
        through = {("record", 0)} if path.name != "audit.py" else set()
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            names = [argument.arg for argument in function.args.args]
            for call in calls_of(function, {"record"}):
                first = call.args[0]
                if isinstance(first, ast.Name) and first.id in names:
                    through.add((function.name, names.index(first.id)))
        for name, place in through:
            for call in calls_of(tree, {name}):
                if len(call.args) > place:
                    found |= verbs_of(call.args[place])
    return found


def calls_of(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in names
             and isinstance(node.func.value, ast.Name) and node.func.value.id == "audit")
            or (isinstance(node.func, ast.Name) and node.func.id in names - {"record"})
        )
    ]  # fmt: skip


def verbs_of(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return verbs_of(node.body) | verbs_of(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return set(PUT_TOGETHER[node.values[0].value])
    # Handed on by a helper, whose callers are read instead.
    assert isinstance(node, ast.Name), ast.dump(node)
    return set()


def test_every_verb_that_services_record_has_words():
    verbs = verbs_in_the_source()
    assert {"cohort launched", "session moved", "member added", "pass confirmed"} <= verbs
    assert "would not help others" in verbs
    assert sorted(verb for verb in verbs if trail.deed_of(verb) is None) == []


def test_every_deed_has_a_kind_that_can_be_asked_for():
    deeds = [*trail.DEEDS.values(), *trail.FAMILIES.values()]
    assert {deed.kind for deed in deeds} == trail.KINDS.keys()


@pytest.mark.parametrize("verb", [*trail.DEEDS, *(f"{start}so" for start in trail.FAMILIES), "odd"])
def test_a_line_without_details_still_reads(verb, pair, mara):
    """Old lines may lack what newer ones say."""
    event = Event(at=pair.started_at, actor=mara, verb=verb, subject_type="pair",
                  subject_id=pair.public_id, details={})  # fmt: skip
    (line,) = trail.told([event], mara)
    assert line.sentence.strip()
    assert "{" not in line.sentence


# -- words ---------------------------------------------------------------------------------


def test_lines_say_who_did_what_to_whom(pair, lea, mara, mara_client, now):
    audit.record(
        "cohort launched", pair.cohort, by=mara, now=now, team=lea.team, pairs=8, waiting=2
    )
    audit.record("leave noted", lea, by=lea, now=now, team=lea.team,
                 first_day="2027-03-01", last_day="2027-03-05")  # fmt: skip
    audit.record("pair stuck", pair, by=None, now=now, team=lea.team, why="No session.")
    audit.record("case decided: another way", pair, by=mara, now=now, team=lea.team, note="Try.")
    audit.record("member added", pair.cohort, by=mara, now=now, team=lea.team,
                 person=lea.public_id, side="learner", reason="New here")  # fmt: skip
    lines = trail.told(queries.visible_to(mara).order_by("pk"), mara)
    assert [(line.actor, line.sentence, line.note) for line in lines] == [
        ("Mara Lindqvist",
         f"launched the cohort {pair.cohort}: eight pairs, and two learners wait", ""),
        ("Lea Brandt", "noted days away of Lea Brandt, 1 March 2027 to 5 March 2027", ""),
        ("Lanemate", "found Ivo Marković and Lea Brandt stuck", "No session."),
        ("Mara Lindqvist", "decided about Ivo Marković and Lea Brandt: another way", "Try."),
        ("Mara Lindqvist", f"added Lea Brandt to {pair.cohort}", "New here"),
    ]  # fmt: skip
    text = mara_client.get(reverse("trail")).text
    assert reverse("pair", args=[pair.public_id]) in text
    assert reverse("person", args=[lea.public_id]) in text


def test_what_is_gone_or_not_ones_own_has_no_name(pair, otto, mara, now):
    nils = factories.make_person("Nils Weg", team=otto.team)
    audit.record("person left", nils, by=None, now=now, team=mara.team, pairs=1)
    (line,) = trail.told(queries.visible_to(mara), mara)
    assert line.sentence == "noted that somebody has left: one pair"


# -- who reads what ------------------------------------------------------------------------


def ask(client: Client, name: str, asked: dict | None = None):
    """The page is opened, the download asked for."""
    address = f"{reverse(name)}?{urlencode(asked or {})}"
    return client.get(address) if name == "trail" else client.post(address)


def test_only_managers_and_hr_have_the_page(pair, lea_client, ivo_client, otto_client, client, now,
                                            lea, hanna, client_of):  # fmt: skip
    audit.record("pair stuck", pair, by=None, now=now, team=lea.team, why="No session at all.")
    for name in ("trail", "trail-export"):
        assert ask(lea_client, name).status_code == 404
        assert ask(ivo_client, name).status_code == 404
        assert ask(client, name).status_code == 302
        assert ask(otto_client, name).status_code == 200
    assert otto_client.get(reverse("trail-export")).status_code == 405
    assert "No session at all." not in otto_client.get(reverse("trail")).text
    assert "No session at all." in client_of(hanna).get(reverse("trail")).text


def test_own_affairs_are_the_persons_own(pair, lea, mara, hanna, now):
    for verb in queries.OWN_AFFAIRS:
        audit.record(verb, lea, by=lea, now=now, team=lea.team)
    assert not queries.visible_to(mara).exists()
    assert queries.visible_to(hanna).count() == len(queries.OWN_AFFAIRS)
    audit.record("letters paused", mara, by=mara, now=now, team=mara.team)
    assert queries.visible_to(mara).count() == 1


def test_who_is_half_of_a_pair_reads_nothing_that_others_did_about_it(
    pair, mara, lea, hanna, csat, now
):
    own = factories.make_pair(
        factories.make_person("Nora", team=lea.team), mara, metric=csat, cohort=pair.cohort, now=now
    )
    audit.record("case decided: another way", own, by=hanna, now=now, team=lea.team, note="Hm.")
    audit.record("session planned", own, by=mara, now=now, team=lea.team)
    assert [line.verb for line in queries.visible_to(mara)] == ["session planned"]
    assert queries.visible_to(hanna).count() == 2


# -- filters and pages ---------------------------------------------------------------------


@pytest.fixture
def lines(pair, mara, lea, now) -> None:
    """Three days of the trail, a line an hour, oldest first."""
    for hour in range(72):
        verb, by = (("session planned", lea), ("plan changed", mara), ("pair stuck", None))[
            hour % 3
        ]
        subject = pair.cohort if verb == "plan changed" else pair
        audit.record(verb, subject, by=by, now=now + timedelta(hours=hour), team=lea.team)


def rows(text: str) -> int:
    return text.count("<tr>") - 1


def test_lines_are_filtered_by_kind_person_and_day(lines, mara_client):
    def found(**asked) -> int:
        return rows(mara_client.get(reverse("trail"), asked).text)

    assert found() == 50
    assert found(kind="meetings") == 24
    assert found(kind="pairs", since="2027-03-03") == 11
    assert found(who="lindq") == 24
    assert found(who="Lea") == 48
    assert found(who="nobody of this name") == -1
    # A day is the reader's: the first line is of Monday, 08:30 in Zürich.
    assert found(until="2027-03-01", who="mara") == 5
    assert found(kind="meetings", who="lea", since="2027-03-04", until="2027-03-04") == 2


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "'"}, {"before": "x"}, {"before": "2027-99-01T00:00:00+00:00,1"},
        {"before": "2027-03-01T00:00:00,1"}, {"before": f"2027-03-01T00:00:00+00:00,{'9' * 40}"},
        {"since": "soon"}, {"until": "9999-12-31"}, {"since": "0001-01-01"}, {"who": "\0%_"},
        {"since": "2027-03-05", "until": "2027-03-01"}, {"who": "x" * 500},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["trail", "trail-export"])
def test_nonsense_is_said_and_not_asked(lines, mara_client, asked, name):
    answer = ask(mara_client, name, asked)
    assert answer.status_code == 200
    if answer.streaming:
        assert b"when" in b"".join(answer.streaming_content)


def test_pages_go_on_where_the_last_one_ended(lines, mara_client, pair, lea, now):
    address = reverse("trail")
    first = mara_client.get(address)
    assert "Newest" not in first.text
    # A line that comes in meanwhile moves nothing.
    audit.record("pair at risk", pair, by=None, now=now + timedelta(days=9), team=lea.team)
    second = mara_client.get(address, {"before": first.context["next"]})
    seen = [line.at for answer in (first, second) for line in answer.context["lines"]]
    assert seen == [now + timedelta(hours=hour) for hour in reversed(range(72))]
    assert second.context["next"] == ""


def test_lines_of_the_same_moment_are_not_lost_between_pages(pair, mara_client, lea, now):
    for number in range(120):
        audit.record("plan renamed", pair.cohort, by=None, now=now, team=lea.team, name=str(number))
    seen, mark = [], ""
    for _ in range(3):
        answer = mara_client.get(reverse("trail"), {"before": mark} if mark else {})
        seen += [line.sentence for line in answer.context["lines"]]
        mark = answer.context["next"]
    assert len(set(seen)) == 120


# -- taking it along -----------------------------------------------------------------------


def test_the_download_holds_what_the_page_shows_and_is_a_line_itself(lines, mara_client, mara):
    answer = ask(mara_client, "trail-export", {"kind": "cohorts"})
    table = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert table[0] == ["when", "who", "what", "in their words", "kind", "team"]
    assert len(table) == 25
    assert table[1][1:3] == ["Mara Lindqvist", "changed the plan of Cohort" + table[1][2][26:]]
    noted = Event.objects.get(verb="audit trail exported")
    assert (noted.actor, noted.details) == (mara, {"lines": 24, "filters": {"kind": "cohorts"}})


def test_a_note_that_looks_like_a_formula_is_harmless(pair, mara_client, mara, lea, now):
    audit.record("pass confirmed", pair, by=mara, now=now, team=lea.team, note="=1+1")
    text = ask(mara_client, "trail-export").getvalue().decode()
    assert ",=1+1" not in text


# -- what it costs -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trail", "trail-export"])
def test_it_costs_the_same_for_any_number_of_lines(
    name, pair, make_pairs, mara, mara_client, now, django_assert_max_num_queries
):
    def cost() -> int:
        with django_assert_max_num_queries(30) as queries:
            answer = ask(mara_client, name)
            assert answer.getvalue()
        return len(queries)

    def happen(number: int) -> None:
        for one in make_pairs(number):
            team = one.learner.team
            audit.record("pair stuck", one, by=None, now=now, team=team)
            audit.record("person left", one.learner, by=mara, now=now, team=team)
            audit.record("cohort launched", one.cohort, by=mara, now=now, team=team, pairs=2)
            audit.record("member added", one.cohort, by=mara, now=now, team=team,
                         person=one.coach.public_id)  # fmt: skip

    happen(2)
    few = cost()
    happen(30)
    assert cost() == few


def test_a_session_is_on_the_readers_own_day(pair, mara, lea, now):
    """Half past midnight in Zürich is still the day before in UTC."""
    audit.record("session planned", pair, by=lea, now=now, team=lea.team,
                 starts_at="2027-03-03T23:30:00+00:00")  # fmt: skip
    (line,) = trail.told(queries.visible_to(mara), mara)
    assert line.sentence.endswith("for 4 March 2027")
