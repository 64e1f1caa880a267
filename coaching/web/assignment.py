"""What a pair asks of one of its two people now: one next step and one button."""

from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from coaching.domain import cadence
from coaching.domain.said import Said, said
from coaching.models import Pair, Person, Session, Worksheet
from coaching.queries import pairs
from coaching.queries import sessions as session_queries

# After so many days without a session, and none planned, the next one is the thing to do.
QUIET_DAYS = 7


@dataclass(frozen=True, slots=True)
class Button:
    """`does` names for templates what the label says for people."""

    does: str
    label: str
    address: str
    icon: str = "arrow"
    # Whether something waits for them, or it is merely what they could do.
    presses: bool = True


@dataclass(frozen=True, slots=True)
class Assignment:
    """
    A pair from the side of one of its people, for the pages.

    sessions : held and planned, oldest first
    waiting : the planned session that is over, of which nobody has said how it went
    sheet : this week's page, perhaps not stored yet
    button : the one thing to do; None when nothing is
    """

    pair: Pair
    side: str
    partner: Person
    step: Said
    sessions: list[Session]
    held: list[Session]
    upcoming: Session | None
    waiting: Session | None
    sheet: Worksheet
    button: Button | None

    @property
    def presses(self) -> bool:
        """Whether something waits for this person."""
        return self.button is not None and self.button.presses

    @property
    def past(self) -> list[Session]:
        """What is behind them, newest first."""
        return [row for row in self.sessions if row is not self.upcoming and row is not
                self.waiting and row.state != Session.State.PLANNED][::-1]  # fmt: skip


def assignment_of(pair: Pair, reader: Person, *, now: datetime) -> Assignment:
    """A pair of `queries.pairs.mine` (its sessions and pages are prefetched)."""
    rows = sorted(
        (row for row in pair.sessions.all() if row.state != Session.State.WITHDRAWN),
        key=lambda row: (session_queries.when(row), row.pk),
    )
    today = now.astimezone(reader.zone).date()
    side = "learner" if reader.pk == pair.learner_id else "coach"
    upcoming = session_queries.upcoming(rows, now=now)
    waiting = session_queries.unanswered(rows, now=now)
    sheet = sheet_of(pair, today)
    return Assignment(
        pair=pair,
        side=side,
        partner=pair.partner_of(reader),
        step=_step(pair, reader, side, upcoming, waiting, sheet, today=today),
        sessions=rows,
        held=session_queries.held(rows),
        upcoming=upcoming,
        waiting=waiting,
        sheet=sheet,
        button=_button(pair, side, upcoming, waiting, sheet, today=today),
    )


def sheet_of(pair: Pair, today: date) -> Worksheet:
    week = cadence.week_of(today)
    stored = next((row for row in pair.worksheets.all() if row.week == week), None)
    return stored or Worksheet(pair=pair, week=week)


def _meet(pair: Pair, upcoming: Session | None, today: date) -> bool:
    """Whether the next session is the thing to agree on."""
    last = pair.last_session
    return upcoming is None and (last is None or (today - last).days >= QUIET_DAYS)


def _page_waits(side: str, sheet: Worksheet) -> bool:
    if side == "learner":
        return sheet.learner_at is None
    return sheet.learner_at is not None and sheet.coach_at is None


def _step(
    pair: Pair,
    reader: Person,
    side: str,
    upcoming: Session | None,
    waiting: Session | None,
    sheet: Worksheet,
    *,
    today: date,
) -> Said:
    settled = pair.is_active and not waiting and not _meet(pair, upcoming, today)
    if settled and _page_waits(side, sheet):
        partner = pair.partner_of(reader).first_name
        if side == "learner":
            return said(
                "Write this week's page: what went how, what you try next. %(partner)s answers.",
                partner=partner,
            )
        return said(
            "%(partner)s has written this week's page. Say what you do about it.", partner=partner
        )
    return pairs.next_step(pair, reader, today=today)


def _button(
    pair: Pair,
    side: str,
    upcoming: Session | None,
    waiting: Session | None,
    sheet: Worksheet,
    *,
    today: date,
) -> Button | None:
    if not pair.is_active:
        return None
    page = reverse("pair", args=[pair.public_id])
    if waiting:
        return Button("say", _("Say how it went"), f"{page}#sessions", "calendar")
    if _meet(pair, upcoming, today):
        return Button("plan", _("Plan a session"), f"{page}#plan", "calendar")
    if _page_waits(side, sheet):
        sheet_page = reverse("worksheet", args=[pair.public_id])
        if side == "learner":
            return Button("write", _("Write this week's page"), sheet_page, "letter")
        return Button("answer", _("Answer this week's page"), sheet_page, "letter")
    if upcoming:
        return None
    return Button("log", _("Log a session"), f"{page}#log", "calendar", presses=False)


def by_need(assignments: list[Assignment]) -> list[Assignment]:
    """Whom something is owed first, then who swims hardest, then the next to be met."""
    return sorted(
        assignments,
        key=lambda one: (
            not one.presses,
            pairs.BOARD_ORDER.index(one.pair.state),
            one.upcoming is None,
            one.upcoming.starts_at if one.upcoming else one.pair.started_at,
            one.pair.pk,
        ),
    )
