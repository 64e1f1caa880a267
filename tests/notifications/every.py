"""Every letter in every case it has, by name; for tests of what is true of all of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from uuid import UUID

from coaching.domain.reminders import Step
from coaching.domain.said import said, said_many
from coaching.models import Case, Clinic, Helper, Letter, Look, Pair, Person, Session
from coaching.notifications import messages
from coaching.queries import digests
from tests.conftest import NOW

SESSION = UUID("6a0e1c9e-7d9f-4c29-9a54-0d9f2e3b1c55")
WHY = said_many("No session for %(number)s day.", "No session for %(number)s days.", 14)
STEPS = [[step.value] for step in Step] + [
    ["at_risk", "log_session", "worksheet"],
    ["still_swimming", "first_session", "test_soon", "log_session", "worksheet"],
]


def letters(pair: Pair, mara: Person) -> dict[str, Letter]:
    """Letters that were promised to nobody yet, by what they are; `pair` has a saved cohort."""
    return {
        name: replace(message).letter
        for parts in (_meeting, _reminders, _ends, _decisions, _managers, _digests)
        for name, message in parts(pair, mara)
    }


def _sides(pair: Pair) -> tuple[tuple[str, Person], ...]:
    return ("learner", pair.learner), ("coach", pair.coach)


def _session(pair: Pair, by: Person) -> Session:
    return Session(
        pair=pair, state="planned", starts_at=NOW + timedelta(days=2), place="Room <3>",
        logged_by=by, logged_at=NOW,
    )  # fmt: skip


def _meeting(pair: Pair, mara: Person) -> Iterator:
    for (side, reader), what in product(_sides(pair), ("planned", "moved", "withdrawn")):
        for by in (pair.learner, None):
            session = _session(pair, pair.learner)
            session.uid = SESSION
            why = "Both are ill." if what == "withdrawn" else ""
            yield (
                f"session {what} {side} by {by}",
                messages.session(session, reader, what=what, by=by, now=NOW, why=why),
            )
    clinic = Clinic(
        cohort=pair.cohort, metric=pair.metric, led_by=pair.coach, made_by=mara, made_at=NOW,
        starts_at=NOW + timedelta(days=3), note="Bring a case", public_id="clinic-of-tests",
    )  # fmt: skip
    for what, (side, reader) in product(("planned", "withdrawn"), _sides(pair)):
        own = pair if side == "learner" else None
        yield f"clinic {what} {side}", messages.clinic(clinic, reader, what=what, pair=own, now=NOW)


def _reminders(pair: Pair, mara: Person) -> Iterator:
    session = _session(pair, pair.learner)
    session.uid = SESSION
    looks = (None, Look(level=3.31, p_reached=0.1), Look(level=3.9, p_reached=0.95))
    test = NOW.replace(year=pair.test_date.year, month=pair.test_date.month, day=pair.test_date.day)
    # days to the test: weeks, some, one, none, over
    for steps, (side, reader), look, ahead, state in product(
        STEPS, _sides(pair), looks, (30, 1, 0, -8), ("on_track", "stuck")
    ):
        pair.state = state
        sessions = 0 if look is None else 3
        yield (
            f"reminder {'+'.join(steps)} {side} {look and look.level} {ahead} {state}",
            messages.reminder(
                pair, reader, due=test - timedelta(days=ahead), last=look, sessions=sessions,
                steps=steps, unanswered=session if "log_session" in steps else None,
                last_session=NOW.date() if sessions else None,
                next_session=NOW + timedelta(days=3) if ahead == 30 else None,
                why=WHY,
            ),
        )  # fmt: skip
    pair.state = "on_track"


def _ends(pair: Pair, mara: Person) -> Iterator:
    for side, reader in _sides(pair):
        yield f"invitation {side}", messages.invitation(pair, reader)
        yield f"passed {side}", messages.passed(pair, reader)
        yield f"helper {side}", messages.helper(Helper(pair=pair, person=reader, since=NOW))
        for waits in (True, False):
            yield f"left {side} {waits}", messages.left(pair, reader, waits=waits)
        for partners in (["Ivo Marković"], ["Ivo Marković", "Noor Haddad"]):
            yield (
                f"correction {side} {len(partners)}",
                messages.correction(pair.cohort, reader, launched_at=NOW, partners=partners),
            )
    for (side, reader), (pairs, passed) in product(
        (*_sides(pair), ("manager", mara)), ((1, 1), (4, 4), (4, 3), (1, 0))
    ):
        yield (
            f"closed {side} {passed}/{pairs}",
            messages.closed(
                pair.cohort, reader, pairs=pairs, passed=passed, is_manager=reader == mara
            ),
        )


DECISIONS = [
    ("everything", {"weeks": 1, "helper": "Noor Haddad"}),
    ("everything", {"weeks": 6, "clinic": date(2027, 5, 4)}),
    ("everything", {"weeks": 4, "helper": "Noor Haddad", "clinic": date(2027, 5, 4)}),
    ("everything", {}),
    ("redirect", {"old_target": 3.6, "new_target": 3.4}),
    ("redirect", {"coach_now": "Noor Haddad"}),
    ("redirect", {"coach_now": ""}),
    ("accept", {}),
]


def _decisions(pair: Pair, mara: Person) -> Iterator:
    for (number, (decision, means)), (side, reader), by in product(
        enumerate(DECISIONS), _sides(pair), (mara, None)
    ):
        case = Case(
            pair=pair, episode=1, clock="outcome", opened_at=NOW, decision=decision,
            decided_at=NOW, decided_by=by, note="Calls were few.",
        )  # fmt: skip
        # Measures, as the services give them.
        means = {
            name: pair.read(value) if "target" in name else value for name, value in means.items()
        }
        yield f"decided {number} {side} by {by}", messages.decided(case, reader, **means)
    for side, reader in _sides(pair):
        yield f"reopened {side}", messages.reopened(pair, reader, by=mara, note="Counted twice.")


def _managers(pair: Pair, mara: Person) -> Iterator:
    for level, up in product((1, 2), (None, NOW + timedelta(days=3))):
        case = Case(
            pair=pair, episode=1, clock="outcome", opened_at=NOW, level=level, escalates_at=up,
            public_id="case-of-tests",
        )  # fmt: skip
        yield (
            f"escalation {level} {up}",
            messages.escalation(case, mara, why=WHY),
        )
    for note in ("No time", ""):
        yield (
            f"help asked {note}",
            messages.help_asked(pair, mara, by=pair.learner, note=note, now=NOW),
        )
    item = {
        "waiting": 1, "learner": "Lea Brandt", "coach": "Ivo Marković",
        "metric": pair.metric.name, "since": NOW.date(),
    }  # fmt: skip
    for items in ([item], [item, item | {"waiting": 2, "learner": "Tom Ash"}]):
        yield f"proposal {len(items)}", messages.proposal(pair.cohort, mara, items=items)


def _need(kind: str, what: object, count: int, more: int) -> dict:
    items = [{"who": f"{kind} {place}", "what": what, "link": "/x/"} for place in range(count)]
    return {"kind": kind, "count": count, "more": more, "link": "/cohorts/", "items": items}


def _digests(pair: Pair, mara: Person) -> Iterator:
    due = NOW + timedelta(weeks=1)

    def digest(**content) -> object:
        content = {"needs": [], "cohorts": [], "more_cohorts": 0, "own": []} | content
        return messages.digest(mara, due=due, content=content)

    yield "digest nothing", digest()
    for count, more in ((1, 0), (2, 3)):
        needs = [
            _need("cases", digests.CLOCKS["activity"], count, more),
            _need("waiting", said("waits for a coach"), count, more),
            _need("silent", said("a coach is proposed"), count, more),
            _need("failed", digests.FAILURES["refused"], count, more),
        ]
        yield f"digest needs {count}", digest(needs=needs)
        for need in needs:
            yield f"digest {need['kind']} {count}", digest(needs=[need])
    for closed, days, passed, fresh in product((True, False), (0, 1, 9), (0, 3), ([], ["A", "B"])):
        cohort = {
            "name": "Spring", "link": "/c/", "pairs": 3, "passed": passed, "on_track": 1,
            "at_risk": 1, "stuck": 1, "closed": closed, "days_left": days,
            "passed_this_week": fresh, "more_passed": len(fresh),
        }  # fmt: skip
        yield (
            f"digest cohort {closed} {days} {passed} {fresh}",
            digest(cohorts=[cohort], more_cohorts=2 if fresh else 0),
        )
    own = {
        "partner": "Ivo Marković", "coach": "Ivo Marković", "metric": pair.metric.name,
        "next_step": said("Nothing: this pair has ended."), "target": pair.target_text,
        "level": "", "before": "", "fresh": False, "sessions": 0,
        "passed": False, "ended": False, "days_left": 0, "link": "/p/",
    }  # fmt: skip
    now = pair.read(3.31)
    changes = (
        {"passed": True}, {"ended": True}, {"days_left": 1, "sessions": 1},
        {"level": now, "fresh": True, "before": pair.read(3.2), "days_left": 9, "sessions": 2},
        {"level": now, "fresh": True}, {"level": now},
    )  # fmt: skip
    for side, change, count in product(("learner", "coach", "helper"), changes, (1, 2)):
        group = {"side": side, "count": count, "more": 3 * (count - 1), "link": "/me/",
                 "items": [own | change] * count}  # fmt: skip
        yield f"digest own {side} {change} {count}", digest(own=[group])
