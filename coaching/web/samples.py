"""What the style guide draws its larger pictures from: made up, stored nowhere."""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from coaching.domain import cadence
from coaching.models import Band, Look, Metric, Pair, Reading, Session
from coaching.queries.rankings import Border
from coaching.web import charts
from coaching.web.steps import NUMBER, STEPS, Step
from coaching.web.strip import BINS, Strip, strip
from coaching.web.timeline import Moment, Week

WEEKS = 5
# Tenths of a point on a scale from 1 to 5, oldest first.
COUNTED = (29, 33, 30, 34, 32, 36)
BELIEVED = (31, 32, 33, 34, 35)


def pair(now: datetime) -> Pair:
    """A pair five weeks in, on the way."""
    start = cadence.week_of(now.date()) - WEEKS * cadence.WEEK
    return Pair(
        metric=Metric(key="csat", name=gettext("Customer satisfaction"), kind=Metric.Kind.MEAN),
        state=Pair.State.ON_TRACK,
        baseline=3.0, baseline_se=0.1, tau2=0.09, sigma2=0.9, target=3.6, stretch=3.66,
        counts_from=start,
        test_date=start + timedelta(weeks=8),
        started_at=now - WEEKS * cadence.WEEK,
    )  # fmt: skip


def picture(of: Pair, now: datetime) -> charts.Picture:
    weeks = [of.counts_from + number * cadence.WEEK for number in range(-1, WEEKS)]
    readings = [
        Reading(period=week, n=22, sum=2.2 * tenths)
        for week, tenths in zip(weeks, COUNTED, strict=True)
    ]
    looks = [
        Look(number=number, week=week, n=22, level=tenths / 10, se=0.12, p_reached=0.1 * number)
        for number, (week, tenths) in enumerate(zip(weeks[1:], BELIEVED, strict=True), 1)
    ]
    sessions = [Session(held_on=week + timedelta(days=2)) for week in weeks[1:]]
    return charts.progress_picture(
        of, looks=looks, readings=readings, sessions=sessions, today=now.date()
    )


def estimates() -> Strip:
    """A bell of estimates, its ends labelled."""
    counts = {}
    for place in range(BINS):
        from_middle = abs(place - BINS // 2)
        people = max(round(12 - 0.02 * from_middle**2), 0)
        band = Band.MIDDLE
        if from_middle > BINS // 4:
            band = Band.WEAK if place < BINS // 2 else Band.STRONG
        if people:
            counts[place, band.value] = people
    return strip(
        counts,
        charts.axis(None, -3.0, 3.0),
        worst=[Border("all", -1.0)],
        best=[Border("all", 1.0)],
        q=0.25,
    )


def way() -> list[Step]:
    """The steps to a launch, with the plan before one."""
    here = NUMBER["plan"]
    return [
        Step(name, "#more" if number < here else "", number < here, number == here)
        for number, name in enumerate(STEPS.values(), 1)
    ]


def story(now: datetime) -> list[Week]:
    moments = [
        Moment(now, "way", gettext("At risk: 12 days without a session."), tone="at_risk"),
        Moment(now - timedelta(hours=3), "sessions", gettext("Met on Tuesday, 2 March"),
               by="Lea Brandt", note=gettext("Two calls, listened to together.")),
        Moment(now - timedelta(hours=5), "letters", gettext("Reminder to Lea Brandt"), link="#more"),
    ]  # fmt: skip
    return [Week(cadence.week_of(now.date()), moments)]
