"""
The whole story: an export is uploaded, people are ranked and paired, the plan
is launched, weeks pass, and the cohort closes when the last pair has passed.

Every sweep runs twice whenever something happened, so nothing may depend on it running once.
"""

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from coaching.domain import centre
from coaching.models import Band, Case, Cohort, Import, Letter, Notice, Pair, Plan, Reading
from coaching.notifications import rendering
from coaching.queries import clock
from coaching.services import imports, sessions, ticks
from tests import factories

FIRST_WEEK = date(2026, 9, 7)
WEEKS_BEFORE = 13
LAUNCH_WEEK = FIRST_WEEK + timedelta(weeks=WEEKS_BEFORE)


class Story:
    """A small contact centre, its clock, and what the readings would say."""

    def __init__(self, monkeypatch) -> None:
        self.world = centre.build(seed=11, today=FIRST_WEEK, team_size=3)
        self.now = datetime.combine(LAUNCH_WEEK, time(6), UTC)
        monkeypatch.setattr(clock, "now", lambda: self.now)
        self.team = factories.make_team("Northwind")
        self.mara = factories.make_person(
            "Mara Lindqvist", team=self.team, login="mara", time_zone="Europe/London"
        )
        self.team.manager = self.mara
        self.team.save()

    def export(self, mondays: list[date], *, gains: np.ndarray | None = None) -> bytes:
        """Aggregated rows as a data team would export them: one a person, metric and week."""
        sheet = io.StringIO()
        rows = csv.writer(sheet)
        rows.writerow(["Agent ID", "Name", "Email", "Role", "Metric", "Week", "n", "Mean", "SD"])
        for monday in mondays:
            number = (monday - FIRST_WEEK).days // 7
            for person, skill, n, total, squares in centre.week(self.world, number, gains=gains):
                agent = self.world.agents[person]
                mean = total / n
                spread = max(squares - n * mean**2, 0) / max(n - 1, 1)
                rows.writerow(
                    [
                        agent.key, agent.name, f"{agent.key}@example.com", "Agent",
                        centre.SKILLS[skill].name, monday.isoformat(), int(n),
                        f"{mean:.6f}", f"{spread**0.5:.6f}",
                    ]
                )  # fmt: skip
        return sheet.getvalue().encode()

    def sweep(self) -> None:
        ticks.tick(now=self.now)
        ticks.tick(now=self.now)

    def gains(self, monday: date) -> np.ndarray:
        """Everybody takes to coaching; two of them slowly."""
        gains = np.zeros_like(self.world.truth)
        row = {agent.key: index for index, agent in enumerate(self.world.agents)}
        column = {skill.name: index for index, skill in enumerate(centre.SKILLS)}
        for position, pair in enumerate(Pair.objects.order_by("learner__key")):
            at = row[pair.learner.key], column[pair.metric.name]
            target = np.log(pair.target) if pair.metric.kind == "rate" else pair.target
            pace = centre.STALLED if position < 2 else centre.QUICK
            weeks = (monday - pair.counts_from).days / 7 + 1
            gains[at] = centre.way_gone(pace, weeks) * (target - self.world.truth[at])
        return gains


@pytest.fixture
def story(db, monkeypatch) -> Story:
    return Story(monkeypatch)


def upload(client, content: bytes, story: Story) -> Import:
    answer = client.post(
        reverse("import-new"),
        {"file": SimpleUploadedFile("export.csv", content), "team": story.team.pk},
    )
    source = Import.objects.order_by("-pk").first()
    assert answer.status_code == 302, answer.content.decode()[:2000]
    assert answer.url == reverse("import", args=[source.public_id])
    return source


def test_from_an_upload_to_a_closed_cohort(story, client_of):
    mara = client_of(story.mara)

    # Bring in a real export: nothing is written before somebody has looked at it.
    weeks = [FIRST_WEEK + timedelta(weeks=number) for number in range(WEEKS_BEFORE)]
    source = upload(mara, story.export(weeks), story)
    story.sweep()
    source.refresh_from_db()
    assert source.state == Import.State.READY, source.refusal
    assert source.preview["questions"] == []
    assert Reading.objects.count() == 0
    page = mara.get(reverse("import", args=[source.public_id]))
    assert b"Customer satisfaction" in page.content
    mara.post(reverse("import-confirm", args=[source.public_id]))
    story.sweep()
    source.refresh_from_db()
    assert source.state == Import.State.DONE, source.refusal
    stored = Reading.objects.count()
    assert stored == source.result["readings"]["new"] > 4000

    # The same file twice changes nothing.
    again = upload(mara, story.export(weeks), story)
    story.sweep()
    mara.post(reverse("import-confirm", args=[again.public_id]))
    story.sweep()
    again.refresh_from_db()
    assert again.result["readings"] == {"new": 0, "changed": 0, "same": stored}

    # Rank; see who is strong and who struggles.
    answer = mara.post(reverse("rank-team"), {"team": story.team.pk}, follow=True)
    assert answer.status_code == 200
    ranking = story.team.scorecards.get().rankings.get()
    bands = Counter(ranking.standings.filter(metric=None).values_list("band", flat=True))
    assert bands[Band.WEAK] >= 5
    assert bands[Band.STRONG] >= 5
    assert bands[Band.MIDDLE] > bands[Band.WEAK] + bands[Band.STRONG]

    # A cohort and its plan: everybody who struggles has a coach, and every pair a reason.
    mara.post(
        reverse("cohort-new", args=[ranking.public_id]),
        {
            "name": "Winter",
            "test_date": (LAUNCH_WEEK + timedelta(weeks=8)).isoformat(),
            "target_form": Cohort.Target.GAP_TOP,
        },
    )
    cohort = Cohort.objects.get()
    mara.post(reverse("plan-new", args=[cohort.public_id]))
    plan = Plan.objects.get()
    assert plan.matched == bands[Band.WEAK]
    for draft in plan.draft_pairs.all():
        assert sum(part["points"] for part in draft.parts) == draft.score
    assert Letter.objects.count() == 0

    # Launch, once, however often the button is pressed.
    for _ in range(3):
        mara.post(
            reverse("plan-launch", args=[plan.public_id]), {"revision": plan.revision}, follow=True
        )
    pairs = Pair.objects.count()
    assert pairs == plan.matched
    assert Letter.objects.filter(kind=Letter.Kind.INVITATION).count() == 2 * pairs
    frozen = dict(Pair.objects.values_list("pk", "target"))
    # Nobody is written to before their own working morning; by now it is one in Halifax, too.
    story.sweep()
    assert not mail.outbox
    story.now += timedelta(hours=10)
    story.sweep()
    invited = Letter.objects.filter(kind=Letter.Kind.INVITATION, state=Letter.State.SENT)
    assert invited.count() == 2 * pairs
    ids = {message.extra_headers["Message-ID"] for message in mail.outbox}
    assert len(ids) == len(mail.outbox) >= 2 * pairs

    # Weeks pass: readings arrive, pairs meet, letters go out, pairs pass one after the other.
    seen = Counter()
    passed_on: dict[int, datetime] = {}
    for week in range(30):
        monday = LAUNCH_WEEK + timedelta(weeks=week)
        arrives = datetime.combine(monday + timedelta(weeks=1), time(5), UTC)
        live_through_week(story, until=arrives, passed_on=passed_on)
        story.now = arrives
        content = story.export([monday], gains=story.gains(monday))
        source = imports.receive(
            filename=f"{monday}.csv", content=content, by=story.mara, team=story.team, now=arrives
        )
        story.sweep()
        imports.confirm(source=source, good_rows_only=False, by=story.mara, now=arrives)
        story.sweep()
        note_passes(passed_on, story.now)
        seen += Counter(Pair.objects.values_list("state", flat=True))
        cohort.refresh_from_db()
        if cohort.state == Cohort.State.CLOSED:
            break

    # Everybody has passed, nobody on a single good week, and some got stuck on the way.
    assert cohort.state == Cohort.State.CLOSED
    assert set(Pair.objects.values_list("state", flat=True)) == {Pair.State.PASSED}
    assert seen[Pair.State.ON_TRACK]
    assert seen[Pair.State.STUCK]
    assert dict(Pair.objects.values_list("pk", "target")) == frozen
    for pair in Pair.objects.all():
        looks = list(pair.looks.order_by("week"))
        assert looks[-1].number >= 4
        assert [look.p_reached >= 0.8 for look in looks[-3:]] == [True] * 3

    # Each stuck pair was put before the manager, once an episode.
    cases = Case.objects.count()
    assert cases >= 1
    # Nobody decides in this story: some went one level up before the pair moved again.
    levels = Letter.objects.filter(kind=Letter.Kind.ESCALATION).values_list("dedupe_key", flat=True)
    assert len({":".join(key.split(":")[:3]) for key in levels}) == cases
    assert not Case.objects.filter(decided_at=None).exists()

    # Reminders until the pair passed, and not one after that.
    reminders = Letter.objects.filter(kind=Letter.Kind.REMINDER, state=Letter.State.SENT)
    assert reminders.count() > 2 * pairs
    for letter in reminders.select_related("pair"):
        assert letter.sent_at <= passed_on[letter.pair_id] + timedelta(hours=1)
    keys = reminders.values_list("dedupe_key", flat=True)
    assert len(set(keys)) == len(keys)

    # The digest: Monday at eight where the reader is, one a week, none without news.
    digests = Letter.objects.filter(kind=Letter.Kind.DIGEST)
    mine = digests.filter(recipient=story.mara, state=Letter.State.SENT)
    assert mine.count() >= 5
    assert len({letter.created_at.date() for letter in mine}) == mine.count()
    for letter in mine:
        local = letter.next_attempt_at.astimezone(story.mara.zone)
        assert (local.weekday(), local.hour) == (0, 8)

    # Everybody hears that it has closed.
    told = Letter.objects.filter(kind=Letter.Kind.CLOSED).values_list("recipient", flat=True)
    assert set(told) == {
        *Pair.objects.values_list("learner", flat=True),
        *Pair.objects.values_list("coach", flat=True),
        story.mara.pk,
    }
    story.sweep()

    # What was sent stands in the app, word for word.
    sent = Letter.objects.filter(state=Letter.State.SENT)
    assert sent.count() == len(mail.outbox)
    by_id = {message.extra_headers["Message-ID"]: message for message in mail.outbox}
    for letter in sent.order_by("?")[:20]:
        message = by_id[f"<{letter.message_id}@localhost>"]
        rendered = rendering.render(letter)
        assert (message.subject, message.body) == (rendered.subject, rendered.text)
        assert message.to == [letter.recipient.email]
    twins = set(Notice.objects.values_list("dedupe_key", flat=True))
    # A digest may come by mail alone: its page says it at any time.
    told = Letter.objects.exclude(kind=Letter.Kind.DIGEST)
    assert set(told.values_list("dedupe_key", flat=True)) <= twins

    # A month later nobody has been written to again, but for the digest of the last week.
    before = set(Letter.objects.values_list("pk", flat=True))
    story.now = story.now.replace(hour=12)
    for _ in range(30):
        story.now += timedelta(days=1)
        ticks.tick(now=story.now)
    # A week with nothing to say leaves a row that says so, and no letter.
    later = Letter.objects.exclude(pk__in=before).exclude(state=Letter.State.CANCELLED)
    assert set(later.values_list("kind", flat=True)) <= {Letter.Kind.DIGEST}
    assert Counter(later.values_list("recipient", flat=True)).most_common(1)[0][1] == 1


def live_through_week(story: Story, *, until: datetime, passed_on: dict) -> None:
    """Two sweeps a working day, one of them at eight in London; every pair meets on Thursdays."""
    for _ in range(24 * 8):
        at = story.now.replace(minute=0) + timedelta(hours=1)
        if at >= until:
            return
        story.now = at
        if at.hour not in (8, 16) or at.weekday() > 4:
            continue
        if (at.weekday(), at.hour) == (3, 8):
            for pair in Pair.objects.active().select_related("learner__team", "coach"):
                sessions.log(pair=pair, held_on=at.date(), note="", by=pair.coach, now=at)
        ticks.tick(now=at)
        note_passes(passed_on, at)


def note_passes(passed_on: dict[int, datetime], now: datetime) -> None:
    for pk in Pair.objects.filter(state=Pair.State.PASSED).values_list("pk", flat=True):
        passed_on.setdefault(pk, now)
