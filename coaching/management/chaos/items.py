"""The experiments on letters: what is done to the workers, and what must hold in the end."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from coaching.management.chaos import broker, races, world
from coaching.management.chaos.stage import (
    Finding,
    Size,
    Stage,
    one_moment,
    settled,
    stage,
    until,
    worker_name,
)
from coaching.models import Beat, Event, Letter, Notice, Pair
from coaching.notifications.outbox.steps import STEPS
from coaching.services import digests, ticks

State = Letter.State
# No more processes than this at a time, the frozen ones among them.
MOST_WORKERS = 16
# A copy of a letter that had been handed over, not noted yet, as its worker ended over the next.
BESIDES = "of the letter before"


def _tell(account: world.Account) -> str:
    return (
        f"{account.letters:,} letters, {account.sent:,} sent, {account.lost} lost, "
        f"{account.extra} extra copies ({account.unexplained} unexplained, "
        f"{account.distinct} under another Message-ID), {account.aside} put aside"
    )


# -- R1, R2: workers are killed ----------------------------------------------------------------


def killed(size: Size, *, uncertain: str) -> Finding:
    """Kill a worker each time so many letters have been accepted, and start another one."""
    findings = [_killed(size, seed=seed, uncertain=uncertain) for seed in range(size.seeds)]
    return Finding(all(one.held for one in findings), "; ".join(one.figures for one in findings))


def _killed(size: Size, *, seed: int, uncertain: str) -> Finding:
    rng = random.Random(seed)
    with stage(size, uncertain=uncertain) as here:
        world.letters(f"reader.{number}" for number in range(size.letters))
        started = time.monotonic()
        for _ in range(size.workers):
            here.start_sender()
        kills, each = 0, size.letters / (size.kills + 1)
        while kills < size.kills and not settled():
            if here.accepted() < (kills + 1) * each:
                time.sleep(0.005)
                continue
            time.sleep(rng.uniform(0, 0.02))
            here.kill(rng.choice(here.workers))
            here.start_sender()
            kills += 1
        done = until(settled)
        seconds = time.monotonic() - started
        found = world.account(here.record)
    nothing_extra = found.extra == 0 if uncertain == "reconcile" else True
    held = (
        done
        and found.sent + found.aside == found.letters == size.letters
        and found.lost == found.unexplained == found.distinct == 0
        and nothing_extra
        and kills >= size.kills * 0.9
    )
    return Finding(held, f"{kills} kills in {seconds:.0f} s: {_tell(found)}")


# -- R3: at each step --------------------------------------------------------------------------


def at_each_step(size: Size) -> Finding:
    """End workers at each named step of a letter, and freeze others there past their lease."""
    figures, held = [], True
    for uncertain in ("resend", "reconcile"):
        for way in size.ways:
            found, extra = _at_each_step(size, way=way, uncertain=uncertain)
            where = {step for step, copies in extra.items() if copies}
            # A worker has two letters in hand. One that ends over a letter leaves the one before
            # at its own step: copied only between its dot and its note, as `unexplained` checks.
            # A frozen worker cannot be kept from what the record did not show yet.
            nothing = uncertain == "reconcile" and way == "dies"
            allowed = set() if nothing else {"dot sent", "250 read", BESIDES}
            held = held and where <= allowed and found.lost == found.aside == 0
            held = held and found.sent == found.letters
            held = held and found.distinct == found.unexplained == 0
            told = (
                ", ".join(f"{step} {extra[step]}" for step in (*STEPS, BESIDES) if extra[step])
                or "none"
            )
            figures.append(
                f"{way} at 7 × {size.each_step}, {uncertain}: {found.sent} of {found.letters} "
                f"sent, {found.lost} lost, {found.aside} put aside, extra: {told}"
            )
    return Finding(held, "; ".join(figures))


def _at_each_step(size: Size, *, way: str, uncertain: str) -> tuple[world.Account, Counter[str]]:
    slugs = [step.replace(" ", "-") for step in STEPS]
    marked = [f"{way}.{slug}.{n}" for n in range(size.each_step) for slug in slugs]
    others = [f"reader.{n}" for n in range(len(marked))]
    with stage(size, uncertain=uncertain) as here:
        world.letters(name for both in zip(marked, others, strict=True) for name in both)
        woken: set[str] = set()

        def keep_going() -> None:
            asleep = _wake(here, woken) if way == "stops" else 0
            alive = len(here.alive())
            missing = min(size.workers - (alive - asleep), MOST_WORKERS - alive)
            for _ in range(missing):
                here.start_sender()

        def over() -> bool:
            fates = list(here.fates.iterdir())
            return settled() and (way == "dies" or len(woken) == len(fates) == len(marked))

        until(over, meanwhile=keep_going, every=0.05)
        # Those that were woken last still say what they have to say.
        time.sleep(0.5)
        found = world.account(here.record)
        extra = _extra_at(here, slugs)
    return found, extra


def _extra_at(here: Stage, slugs: list[str]) -> Counter[str]:
    """
    Copies by the step at which the worker that handed one of them over was ended; those of
    other workers are of the letter before.
    """
    lines = list(world.accepted_lines(here.record))
    times = Counter(line.message_id for line in lines)
    extra: Counter[str] = Counter()
    for message_id, local in {(line.message_id, line.address.partition("@")[0]) for line in lines}:
        if times[message_id] < 2:
            continue
        fate = here.fates / local
        ended = worker_name(fate.read_text()) if fate.exists() else ""
        own = any(line.by == ended for line in lines if line.message_id == message_id)
        step = STEPS[slugs.index(local.split(".")[1])] if own else BESIDES
        extra[step] += times[message_id] - 1
    return extra


def _wake(here: Stage, woken: set[str]) -> int:
    """Let frozen workers go on once their lease is long over; how many still sleep."""
    asleep = 0
    for fate in here.fates.iterdir():
        if fate.name in woken:
            continue
        pid = fate.read_text()
        if not pid or time.time() - fate.stat().st_mtime < here.lease + 1.5:
            asleep += 1
            continue
        woken.add(fate.name)
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGCONT)
    return asleep


# -- R5: a process is killed around its commits --------------------------------------------------


def around_commits(size: Size) -> Finding:
    """Kill whoever writes events; each has its line, its letter and its notice, or nothing."""
    rng = random.Random(5)
    with stage(size) as here:
        world.people(["reader@example.com"])
        for _ in range(size.kills):
            writer = here.start("tell", now=world.NOW.isoformat())
            seen = Event.objects.count()
            until(lambda seen=seen: Event.objects.count() > seen, every=0.002)
            time.sleep(rng.uniform(0, 0.02))
            here.kill(writer)
        until(lambda: not here.alive(), every=0.02)
        with one_moment():
            events = set(Event.objects.values_list("subject_id", flat=True))
            letters = set(Letter.objects.values_list("dedupe_key", flat=True))
            notices = set(Notice.objects.values_list("dedupe_key", flat=True))
    return Finding(
        events == letters == notices and len(events) >= size.kills,
        f"{size.kills} kills: {len(events):,} audit lines, {len(letters):,} letters, "
        f"{len(notices):,} notices, {len(events ^ letters | events ^ notices)} without the others",
    )


# -- R6: many tickers --------------------------------------------------------------------------


def many_tickers(size: Size) -> Finding:
    """Several tickers do what one does, and not a row more."""
    minutes = max(7 * 24 * 60 * 2 // size.ticks, 10)
    counts = []
    for tickers in (1, size.tickers):
        with stage(size) as here:
            with transaction.atomic():
                world.pairs(size.pairs)
            Beat.objects.create(name=digests.BEAT, at=world.NOW - timedelta(days=7))
            for _ in range(tickers):
                here.start("tick", now=world.NOW.isoformat(), ticks=size.ticks, minutes=minutes)
            until(lambda here=here: not here.alive())
            kinds = Counter(Letter.objects.values_list("kind", flat=True))
            last = Beat.objects.filter(name="tick").first()
            end = world.NOW + timedelta(minutes=minutes * (size.ticks - 1))
            whole = last is not None and last.at >= end
            counts.append((kinds, Notice.objects.count(), whole))
    (one, notices_of_one, ended), (all_, notices_of_all, all_ended) = counts
    return Finding(
        one == all_ and notices_of_one == notices_of_all and ended and all_ended and bool(one),
        f"{size.tickers} × {size.ticks} ticks over {minutes * size.ticks / 1440:.0f} days, "
        f"{size.pairs} pairs: {all_.total()} letters, {all_.total() - one.total()} more than "
        f"of one ticker",
    )


# -- R7: after a long silence ----------------------------------------------------------------


# Before it nothing has left since Thursday, and on Monday digests fall due within each of them.
THURSDAY = world.NOW + timedelta(days=3, hours=3)
LAST_TICK = world.NOW + timedelta(days=7) - timedelta(minutes=90)
SILENCES = {
    "1 hour": timedelta(hours=1), "1 day": timedelta(days=1), "5 weeks": timedelta(weeks=5),
}  # fmt: skip
# All is sent so many seconds after somebody is back; it is asked for when the notes of the day
# may leave, too.
SOON = 300
MORNING = timedelta(hours=4)


def after_silence(size: Size) -> Finding:
    """Nothing ran for an hour, a day, five weeks: one digest each, no stale note, all sent soon."""
    found = [_after(size, name, gap) for name, gap in SILENCES.items()]
    return Finding(all(one.held for one in found), "; ".join(one.figures for one in found))


def _after(size: Size, name: str, gap: timedelta) -> Finding:
    with stage(size) as here:
        with transaction.atomic():
            world.pairs(max(size.letters // 4, size.pairs))
        ticks.tick(now=THURSDAY, but={ticks.LETTERS})
        # Notes that nobody sent, of no use any more; without them this would show nothing.
        old = set(Letter.objects.filter(kind="reminder").values_list("pk", flat=True))
        ticks.tick(now=LAST_TICK, but={ticks.LETTERS})
        back = LAST_TICK + gap
        started = time.monotonic()
        for now in (back, back, back + MORNING):
            ticks.tick(now=now, but={ticks.LETTERS})
        promised = time.monotonic() - started
        due = Letter.objects.filter(
            state__in=[State.PENDING, State.LEASED, State.SENDING],
            next_attempt_at__lte=back + MORNING,
        )
        waited = due.count()
        for _ in range(size.workers):
            here.start_sender(now=back + MORNING)
        done = until(lambda: not due.exists())
        seconds = time.monotonic() - started
        sent = Letter.objects.filter(state=State.SENT)
        weekly = Counter(sent.filter(kind="digest").values_list("recipient", flat=True))
        notes = sent.filter(kind="reminder")
        note_counts = Counter(notes.values_list("recipient", "pair"))
        stale = notes.filter(Q(pk__in=old) | Q(expires_at__lte=back + MORNING)).count()
        dropped = Letter.objects.filter(pk__in=old, state=State.CANCELLED).count()
        readers = 2 * Pair.objects.count()
        found = world.account(here.record)
    return Finding(
        done and stale == 0 and dropped == len(old) >= readers
        and len(weekly) >= readers and set(weekly.values()) == {1}
        and max(note_counts.values(), default=1) == 1
        and found.lost == found.extra == 0 and seconds <= SOON,
        f"{name}: {waited:,} letters waited, {found.sent:,} of them sent in {seconds:.0f} s "
        f"({promised:.0f} s to promise), {len(weekly):,} readers with "
        f"{max(weekly.values(), default=0)} digest, {len(note_counts):,} with "
        f"{max(note_counts.values(), default=0)} note, {stale} of {len(old):,} stale notes sent, "
        f"{dropped:,} dropped, {found.extra} extra",
    )  # fmt: skip


# -- R9: a mail server with moods ----------------------------------------------------------------


def moods(size: Size) -> Finding:
    """5 % refused, 5 % twice put off, 2 % accepted with the connection cut."""
    figures, held = [], True
    letters = min(size.letters, 2000)
    for uncertain in ("resend", "reconcile"):
        names = [f"{_mood(number)}.{number}" for number in range(letters)]
        expected = Counter(name.partition(".")[0] for name in names)
        with stage(size, uncertain=uncertain) as here:
            world.letters(names)
            for _ in range(size.workers):
                here.start_sender(speed=60)
            done = until(settled)
            found = world.account(here.record)
            dead = Letter.objects.filter(state=State.DEAD, failure="refused").count()
        most = 0 if uncertain == "reconcile" else expected["cut"]
        held = (
            held and done and dead == expected["refused"] and found.lost == 0
            and found.sent == letters - dead and found.extra <= most and not found.unexplained
        )  # fmt: skip
        figures.append(
            f"{uncertain}: {found.sent} of {letters - dead} deliverable arrived, {dead} refused, "
            f"{found.lost} lost, {found.extra} extra of {expected['cut']} cut"
        )
    return Finding(held, "; ".join(figures))


def _mood(number: int) -> str:
    return {0: "refused", 1: "later", 2: "cut"}.get(
        number % 20 if number % 20 < 2 else 2 if number % 50 == 22 else 3, "reader"
    )


# -- R10: letters that end their workers -------------------------------------------------------


def poison(size: Size) -> Finding:
    """Three letters among two hundred end every worker that takes them."""
    letters = 200 if size.letters > 1000 else 40
    with stage(size) as here:
        world.letters(
            f"poison.{number}" if number % (letters // 3) == 5 else f"reader.{number}"
            for number in range(letters)
        )
        deaths = 0

        def keep_going() -> None:
            nonlocal deaths
            gone = [worker for worker in here.workers if worker not in here.alive()]
            deaths += len(gone)
            for worker in gone:
                here.workers.remove(worker)
            for _ in range(size.workers - len(here.workers)):
                here.start_sender()

        done = until(settled, meanwhile=keep_going, every=0.02)
        keep_going()
        found = world.account(here.record)
        bad = Letter.objects.filter(recipient__email__startswith="poison")
        aside = bad.filter(state=State.DEAD, failure="poison").count()
        bad = bad.count()
    return Finding(
        done and aside == bad == found.aside and found.sent == letters - bad
        and deaths <= 3 * bad and not found.unexplained,
        f"{bad} of {letters} put aside after {deaths} deaths, {found.sent} others sent, "
        f"{found.extra} extra",
    )  # fmt: skip


# -- R11: from due to accepted -------------------------------------------------------------------


def promptness(size: Size) -> Finding:
    """All at once, four senders: how long until the mail server has each."""
    with stage(size) as here:
        for _ in range(size.workers):
            here.start_sender()
        with transaction.atomic():
            world.letters(f"reader.{number}" for number in range(size.letters))
        started = time.time()
        done = until(settled)
        waits = sorted(at - started for at, *_ in world.accepted_lines(here.record))
        found = world.account(here.record)
    p99 = waits[int(0.99 * (len(waits) - 1))]
    return Finding(
        done and found.lost == found.extra == 0 and p99 <= 120 and waits[0] <= 5,
        f"{size.letters:,} at once, {size.workers} senders: first {waits[0]:.1f} s, "
        f"median {waits[len(waits) // 2]:.0f} s, p99 {p99:.0f} s, "
        f"{len(waits) / waits[-1]:.0f} a second",
    )


class Item(NamedTuple):
    about: str
    run: Callable[[Size], Finding]


ITEMS = {
    "R1": Item("workers killed, resend", lambda size: killed(size, uncertain="resend")),
    "R2": Item("workers killed, reconcile", lambda size: killed(size, uncertain="reconcile")),
    "R3": Item("ended and frozen at each step", at_each_step),
    "R4": Item("Redis killed, wiped, absent", broker.without_redis),
    "R5": Item("killed around commits", around_commits),
    "R6": Item("many tickers", many_tickers),
    "R7": Item("after a silence", after_silence),
    "R9": Item("a mail server with moods", moods),
    "R10": Item("letters that end workers", poison),
    "R11": Item("from due to accepted", promptness),
    "D1": Item("nine races", races.nine_races),
    "D3": Item("state changes killed", races.changes_killed),
}
