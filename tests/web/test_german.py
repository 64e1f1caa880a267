"""Whoever reads German reads no English on a page, but for what people wrote themselves."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from coaching.models import Beat, Bounce, Case, Event, Letter, Notice, Person
from coaching.notifications import outbox
from coaching.queries import health
from coaching.services import people
from coaching.web import trail
from coaching.web.retold import retold
from tests.test_languages import PLACEHOLDER, forms, po

# By reader, what they can open; the ranking of a plan is a word with its row, as `world` has it.
PAGES = {
    "manager": """
        home cohorts triage rankings imports import-new scorecard-new teams hands me skills coaching
        letters undelivered trail notices preferences my-data digest
        team:team person:learner person-away:learner case:case
        cohort:live waiting:live cohort:draft cohort-target:draft cohort-new:ranking
        ranking:ranking selection:ranking drivers:ranking scorecard:scorecard
        plan:plan plan-unpaired:plan plan-coaches:plan plan-people:plan plan-wishes:plan
        plan-steps:plan plan-compare:plan plan-swap:plan plan-letters:plan plan-learner:plan:drafted
        pair:pair pair-why:pair worksheet:pair letter:letter
        405 404
    """,
    "learner": """
        me skills letters notices preferences my-data digest
        pair:pair pair-why:pair pair-end:pair worksheet:pair letter:letter person-away:learner
    """,
    "coach": """
        me coaching skills letters notices preferences my-data digest
        pair:pair pair-why:pair worksheet:pair person-away:coach
    """,
    "HR": "home teams trail letters letters-troubled undelivered team:team letter:letter",
    "server": "status styleguide",
}
# Words of English sentences that no German one has.
ENGLISH = set(
    """the and of with are is you your for this that who what when from until each their they them
    by has have had it its be been can could would should than then there these those which while
    because after before where why how we our us at on to into only or no if but does did do
    nobody somebody everybody anybody nothing something week weeks day days month pair pairs coach's
    learner learners coaches' seat seats reading readings""".split()
)
SHOWN = ("aria-label", "title", "placeholder", "alt", "data-label", "data-panel-title", "label")
VOID = {"input", "br", "img", "meta", "link", "hr", "rect", "circle", "path", "line", "source"}
SILENT = {"script", "style", "code", "pre", "kbd"}


class Reading(HTMLParser):
    """The stretches of text that a page shows or says, but for quotes and names of things."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in SHOWN:
            self.take(given.get(name) or "")
        if tag not in VOID:
            own = "quote" in (given.get("class") or "").split() or given.get("translate") == "no"
            self.open.append((tag, own or tag in SILENT))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_data(self, data: str) -> None:
        self.take(data)

    def take(self, text: str) -> None:
        text = " ".join(text.split())
        if re.search(r"[^\W\d_]", text) and not any(silent for _, silent in self.open):
            self.found.add(text)


@cache
def english() -> tuple[frozenset[str], list[re.Pattern]]:
    """What has another German: whole texts, and patterns of those that are filled in."""
    theirs, ours, patterns = set(), set(), []
    for row in po("de"):
        ours |= {" ".join(form.split()) for form in forms(row)}
        for text in filter(None, (row.msgid, row.msgid_plural)):
            if text in forms(row):
                continue
            if not PLACEHOLDER.search(text):
                theirs.add(" ".join(text.split()))
            elif len(re.findall(r"[^\W\d_]", PLACEHOLDER.sub("", text))) > 9:
                parts = map(re.escape, re.split(r"%\(\w+\)s", re.sub(r"<[^>]*>", "", text)))
                patterns.append(re.compile(".+".join(parts)))
    return frozenset(theirs - ours), patterns


def left(html: str, data: set[str]) -> list[str]:
    """The stretches of a page that are English."""
    page = Reading()
    page.feed(html)
    plain, patterns = english()
    found = []
    for text in sorted(page.found - data):
        bare = text
        for name in sorted(data, key=len, reverse=True):
            bare = bare.replace(name, " ")
        words = set(re.findall(r"[^\W\d_]+", bare.lower()))
        if words & ENGLISH or text in plain or any(one.fullmatch(text) for one in patterns):
            found.append(text)
    return found


@pytest.fixture
def world(plan, pair, lea, ivo, mara, hanna, csat, team, now, django_user_model) -> SimpleNamespace:
    """A house in which everything has happened once, read in German."""
    Person.objects.update(reads="de")
    case = Case.objects.create(pair=pair, episode=1, clock="outcome", opened_at=now)
    people.raise_hand(person=ivo, metric=csat, note="", now=now)
    letter = _letters(pair, lea, now)
    # Every verb, with all that any of them says.
    details = {
        "pairs": 8, "waiting": 2, "passed": 3, "learners": 3, "people": 24, "lines": 5,
        "new": 4, "old": 1, "changed": 2, "same": 3, "version": 2, "policy": "leaning",
        "kind": "digest", "metric": "csat", "name": "B", "filename": "calls.csv",
        "to": ["Otto Weiss", "Hanna Reuter"], "starts_at": "2027-03-03T09:00:00+00:00",
        "held_on": "2027-03-03", "week": "2027-03-01", "first_day": "2027-03-01",
        "last_day": "2027-03-05", "why": "No session for 12 days.",
        "person": lea.public_id, "helper": ivo.public_id, "pair": pair.public_id,
    }  # fmt: skip
    rests = {"case decided: ": "another way", "pair ended: ": "somebody left"}
    verbs = [*trail.DEEDS, *(start + rest for start, rest in rests.items())]
    of_pairs = ("pair ", "pass ", "case ", "session ", "help", "would ", "coach thanked")
    subjects = {True: ("pair", pair.public_id), False: ("cohort", pair.cohort.public_id)}
    Event.objects.bulk_create(
        Event(at=now - timedelta(minutes=number), actor=mara if number % 2 else None, verb=verb,
              team=team, subject_type=subjects[verb.startswith(of_pairs)][0],
              subject_id=subjects[verb.startswith(of_pairs)][1],
              details=details if number % 3 else details | {"last_day": "", "waiting": 0})
        for number, verb in enumerate(verbs)
    )  # fmt: skip
    Event.objects.create(at=now, actor=mara, verb="letter.resent", subject_type="letter",
                         subject_id=letter.public_id, team=team)  # fmt: skip
    # The tick is late, and the mail server takes nothing.
    Beat.objects.create(name="tick", at=now - timedelta(hours=3))
    Beat.objects.create(name=health.MAIL_STOPPED, at=now - timedelta(days=3))
    root = django_user_model.objects.create_superuser("root", password="swim-lane-7")
    drafted = plan.draft_pairs.first().learner
    return SimpleNamespace(
        manager=mara, learner=lea, coach=ivo, HR=hanna, root=root, team=team, case=case,
        letter=letter, pair=pair, plan=plan, live=pair.cohort, draft=plan.cohort,
        ranking=plan.cohort.ranking, scorecard=plan.cohort.ranking.scorecard, drafted=drafted,
    )  # fmt: skip


def _letters(pair, lea: Person, now) -> Letter:
    """Letters in each state, with what becomes of them; returns one that can be read."""
    context = {"link": "/", "side": "learner", "metric": "Customer satisfaction"}
    fates = [
        (Letter.State.PENDING, "The mail server cannot be used: 535"),
        (Letter.State.DEAD, "Given up: 451"),
        (Letter.State.UNCERTAIN, "Perhaps sent: the mail server's record will tell."),
        (Letter.State.CANCELLED, "The pair has ended."),
    ]
    for number, (state, outcome) in enumerate(fates):
        letter = Letter.objects.create(
            dedupe_key=str(number), kind=Letter.Kind.PASSED, recipient=lea, pair=pair,
            context=context, created_at=now, next_attempt_at=now, state=state, outcome=outcome,
            failure="sender" if state == Letter.State.PENDING else "",
        )  # fmt: skip
        letter.tries.create(at=now, outcome="later", detail="451")
        letter.tries.create(at=now, outcome="resent", detail="Decided by Hanna Reuter.")
    Bounce.objects.create(email="x@example.com", times=2, last_at=now, suppressed_at=now)
    Notice.objects.create(person=lea, text="Neues.", at=now, dedupe_key="x")
    return letter


def address_of(page: str, world: SimpleNamespace) -> str:
    name, *rows = page.split(":")
    match name:
        case "404":
            return "/nowhere/"
        case "405":
            return reverse("person-seats", args=[world.learner.public_id])
    return reverse(name, args=[getattr(world, row).public_id for row in rows])


@pytest.mark.parametrize("reader", PAGES)
def test_a_german_page_has_no_english_word(reader, world):
    client = Client(headers={"accept-language": "de"})
    client.force_login(world.root if reader == "server" else getattr(world, reader).user)
    data = {
        *Person.objects.values_list("name", flat=True), "Customer satisfaction", "csat",
        world.draft.name, world.live.name, world.scorecard.name, world.team.name, "Team lead",
        "calls.csv", "Europe/Zurich", "Celery", "SQLite", "PostgreSQL", "Python", "Django",
    }  # fmt: skip
    found = {}
    for page in PAGES[reader].split():
        answer = client.get(address_of(page, world), follow=True)
        assert '<html lang="de">' in answer.text, page
        if english_left := left(answer.text, data):
            found[page] = english_left
    assert not found


# -- what is kept in English ---------------------------------------------------------------


def written() -> Iterator[str]:
    """Every sentence that the outbox notes about a letter, with a 7 where something goes in."""
    for path in Path(outbox.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr | ast.Expr)
            for part in ast.walk(node)
            if part is not node and (isinstance(node, ast.JoinedStr) or part is node.value)
        }
        for node in ast.walk(tree):
            if id(node) in inside or not isinstance(node, ast.JoinedStr | ast.Constant):
                continue
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts
            )
            # What the logs are told has other blanks; settings' refusals are no outcomes.
            if re.fullmatch(r"[A-Z7][^%]* [^%]*(\.7?|: 7)", text) and "LETTERS_" not in text:
                yield text.removesuffix("7") if text.endswith(".7") else text


def test_what_became_of_a_letter_is_told_in_german():
    # The one is said with a state, the other to the log.
    texts = set(written()) - {"The pair has 7.", "The mail server can be used again."}
    assert len(texts) > 20
    assert {"Given up: 7", "Too late to be of use.", "The mail server's record has it."} <= texts
    with override("de"):
        assert sorted(text for text in texts if retold(text) == text) == []
