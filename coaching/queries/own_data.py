"""Everything that is stored about one person, as they may read it and take it with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from coaching.domain.said import Said, said
from coaching.models import (
    Band,
    Case,
    Channel,
    Clinic,
    Dip,
    DraftPair,
    Event,
    HandRaise,
    Helper,
    Import,
    Leave,
    Letter,
    Look,
    Member,
    Notice,
    OptOut,
    Pair,
    Person,
    Ranking,
    Reading,
    Rule,
    Session,
    Standing,
    TargetChange,
    Thanks,
    Unpaired,
    Visit,
    Waiting,
    Worksheet,
)

# What a band means for whoever reads it about themselves: an offer, never a label.
BAND_WORDS = {
    Band.WEAK: "most to gain from a coach",
    Band.LEANING_WEAK: "perhaps something to gain from a coach",
    Band.MIDDLE: "in the middle",
    Band.LEANING_STRONG: "perhaps somebody to learn from",
    Band.STRONG: "somebody to learn from",
    Band.CANNOT_TELL: "too few cases to tell",
    Band.TOO_SMALL: "too few colleagues to compare with",
    Band.CHECK: "a number to be checked",
}


@dataclass(frozen=True, slots=True)
class Section:
    """
    One kind of row about a person.

    words : what it is and why it is kept, for people
    fields : the name in the file, and where the value stands
    """

    key: str
    title: Said
    words: Said
    rows_of: Callable[[Person], QuerySet]
    fields: dict[str, str]

    def count(self, person: Person) -> int:
        return self.rows_of(person).order_by().count()

    def rows(self, person: Person) -> Iterator[dict]:
        names = list(self.fields)
        for values in self.rows_of(person).values_list(*self.fields.values()).iterator(2000):
            row = dict(zip(names, values, strict=True))
            if "concluded" in row:
                row["concluded"] = BAND_WORDS[Band(row["concluded"])]
            yield row


def _pairs(person: Person) -> QuerySet[Pair]:
    return Pair.objects.filter(Q(learner=person) | Q(coach=person)).order_by("started_at", "pk")


def _of_pairs(model: type, *order: str) -> Callable[[Person], QuerySet]:
    def rows(person: Person) -> QuerySet:
        mine = Q(pair__learner=person) | Q(pair__coach=person)
        return model.objects.filter(mine).order_by(*order, "pk")

    return rows


def _exports(person: Person) -> QuerySet[Event]:
    """Rankings with the person in them that somebody took out of Lanemate."""
    inside = Ranking.objects.filter(standings__person=person).order_by().values("public_id")
    return Event.objects.filter(
        verb="ranking exported", subject_type="ranking", subject_id__in=inside
    ).order_by("-at", "-pk")


PAIR = {"learner": "pair__learner__name", "coach": "pair__coach__name",
        "skill": "pair__metric__name"}  # fmt: skip

SECTIONS = (
    Section(
        "readings", said("Readings"),
        said(
            "What was counted for you in each skill, week by week; from the exports that your "
            "managers import."
        ),
        lambda p: Reading.objects.filter(person=p).order_by("metric__name", "period"),
        {"skill": "metric__name", "week": "period", "cases": "n", "sum": "sum",
         "sum_of_squares": "sumsq"},
    ),
    Section(
        "standings", said("What rankings made of them"),
        said(
            "An estimate in each skill, its uncertainty, and what was concluded. Pages show you "
            "the estimate; the file has all of it."
        ),
        lambda p: Standing.objects.filter(person=p).order_by("ranking__created_at", "pk"),
        {"at": "ranking__created_at", "from_week": "ranking__since", "to_week": "ranking__until",
         "skill": "metric__name", "peers": "group", "cases": "n", "counted": "raw",
         "estimate": "estimate", "uncertainty": "se", "reliability": "reliability",
         "spreads_from_peers": "z", "chance_lowest_part": "p_low", "chance_highest_part": "p_high",
         "chance_to_gain": "p_need", "chance_to_teach": "p_skill", "place_from": "rank_low",
         "place_to": "rank_high", "concluded": "band"},
    ),
    Section(
        "hands", said("Hands you raised"),
        said("Skills in which you asked for a coach, and your note."),
        lambda p: HandRaise.objects.filter(person=p).order_by("raised_at", "pk"),
        {"skill": "metric__name", "note": "note", "raised_at": "raised_at",
         "lowered_at": "lowered_at"},
    ),
    Section(
        "cohorts", said("Cohorts you were chosen for"),
        said("On which side, and on what grounds."),
        lambda p: Member.objects.filter(person=p).order_by("cohort__created_at", "pk"),
        {"cohort": "cohort__name", "side": "side", "grounds": "source", "chance": "chance",
         "left_out": "left_out", "note": "note"},
    ),
    Section(
        "drafts", said("Drafts of plans"),
        said("Pairs with you that a plan proposed, launched or not."),
        lambda p: DraftPair.objects.filter(Q(learner=p) | Q(coach=p)).order_by("plan", "pk"),
        {"cohort": "plan__cohort__name", "made_at": "plan__created_at", "skill": "metric__name",
         "score": "score"},
    ),
    Section(
        "unpaired", said("Plans without a pair for you"),
        said("And whether seats were missing."),
        lambda p: Unpaired.objects.filter(learner=p).order_by("plan", "pk"),
        {"cohort": "plan__cohort__name", "made_at": "plan__created_at", "seats_missing": "scarce",
         "place_in_lot": "place"},
    ),
    Section(
        "rules", said("Wishes of planners about you"),
        said("Who should be paired with you, or should not."),
        lambda p: Rule.objects.filter(Q(learner=p) | Q(coach=p)).order_by("plan", "pk"),
        {"cohort": "plan__cohort__name", "kind": "kind", "made_at": "made_at"},
    ),
    Section(
        "waiting", said("Waiting for a coach"),
        said("Since when, why, and what came of it."),
        lambda p: Waiting.objects.filter(learner=p).order_by("since", "pk"),
        {"cohort": "cohort__name", "skill": "metric__name", "why": "why", "since": "since",
         "settled_at": "settled_at", "outcome": "outcome"},
    ),
    Section(
        "pairs", said("Pairs"),
        said("With whom, on what, from where to where, and how it went."),
        _pairs,
        {"learner": "learner__name", "coach": "coach__name", "skill": "metric__name",
         "cohort": "cohort__name", "state": "state", "start": "baseline", "target": "target",
         "stretch": "stretch", "target_rule": "target_formula", "test_date": "test_date",
         "started_at": "started_at", "passed_at": "passed_at", "ended_at": "ended_at",
         "ending": "ending", "would_help": "would_help"},
    ),
    Section(
        "looks", said("Weekly looks"),
        said("Where you stood on the way to a target."),
        lambda p: Look.objects.filter(pair__learner=p).order_by("week", "pk"),
        {**PAIR, "week": "week", "cases": "n", "level": "level", "uncertainty": "se",
         "chance_at_target": "p_reached"},
    ),
    Section(
        "sessions", said("Sessions"),
        said("Planned and held, with what was noted."),
        _of_pairs(Session, "logged_at"),
        {**PAIR, "state": "state", "planned_for": "starts_at", "held_on": "held_on",
         "minutes": "minutes", "place": "place", "note": "note", "noted_by": "logged_by__name"},
    ),
    Section(
        "worksheets", said("Pages of the week"),
        said("What the two of you wrote."),
        _of_pairs(Worksheet, "week"),
        {**PAIR, "week": "week", "went": "went", "will_try": "will_try", "coach_does": "coach_does",
         "learner_wrote_at": "learner_at", "coach_wrote_at": "coach_at"},
    ),
    Section(
        "targets", said("Targets that were moved"),
        said("With the reason."),
        lambda p: TargetChange.objects.filter(pair__learner=p).order_by("at", "pk"),
        {**PAIR, "from": "old", "to": "new", "reason": "reason", "by": "by__name", "at": "at"},
    ),
    Section(
        "cases", said("Decisions on stuck pairs"),
        said("What was decided, by whom, and why."),
        _of_pairs(Case, "opened_at"),
        {**PAIR, "why": "clock", "opened_at": "opened_at", "decision": "decision",
         "decided_at": "decided_at", "decided_by": "decided_by__name", "note": "note"},
    ),
    Section(
        "helps", said("Pairs you help, or helped"),
        said("Since when."),
        lambda p: Helper.objects.filter(person=p).order_by("since", "pk"),
        {**PAIR, "since": "since", "until": "until"},
    ),
    Section(
        "clinics", said("Clinics"),
        said("Those you led, and those for pairs of yours."),
        lambda p: Clinic.objects.filter(
            Q(led_by=p) | Q(pk__in=Clinic.objects.filter(pairs__learner=p).values("pk"))
        ).order_by("starts_at", "pk"),
        {"skill": "metric__name", "led_by": "led_by__name", "starts_at": "starts_at",
         "place": "place", "note": "note"},
    ),
    Section(
        "thanks", said("Thanks"),
        said("What you said to a coach, and what learners said to you."),
        _of_pairs(Thanks, "at"), {**PAIR, "text": "text", "at": "at"},
    ),
    Section(
        "dips", said("Your own numbers while you coached"),
        said("Whether they fell notably, and when they were back."),
        lambda p: Dip.objects.filter(person=p).order_by("found_at", "pk"),
        {"skill": "metric__name", "before": "before", "level": "level", "week": "week",
         "found_at": "found_at", "over_at": "over_at"},
    ),
    Section(
        "leaves", said("Days away"),
        said("From when to when; never why."),
        lambda p: Leave.objects.filter(person=p).order_by("first_day", "pk"),
        {"first_day": "first_day", "last_day": "last_day", "noted_by": "noted_by__name"},
    ),
    Section(
        "letters", said("Letters to you"),
        said("With what they said."),
        lambda p: Letter.objects.filter(recipient=p).order_by("created_at", "pk"),
        {"kind": "kind", "made_at": "created_at", "sent_at": "sent_at", "said": "context"},
    ),
    Section(
        "notices", said("Notices"),
        said("What you were told inside Lanemate."),
        lambda p: Notice.objects.filter(person=p).order_by("at", "pk"),
        {"text": "text", "at": "at", "read_at": "read_at"},
    ),
    Section(
        "opt_outs", said("Letters you turned off"),
        said("By kind."),
        lambda p: OptOut.objects.filter(person=p).order_by("at", "pk"),
        {"kind": "kind", "at": "at"},
    ),
    Section(
        "channels", said("Chats and webhooks"),
        said("Where else you are told; without their secrets."),
        lambda p: Channel.objects.filter(person=p).order_by("made_at", "pk"),
        {"kind": "kind", "made_at": "made_at", "active": "active"},
    ),
    Section(
        "imports", said("Files you imported"),
        said("Their names and when."),
        lambda p: Import.objects.filter(uploaded_by=p).order_by("created_at", "pk"),
        {"file": "filename", "at": "created_at", "state": "state"},
    ),
    Section(
        "acts", said("What you did"),
        said("Lines of the audit trail with you as the one who acted."),
        lambda p: Event.objects.filter(actor=p).order_by("at", "pk"),
        {"at": "at", "what": "verb", "about": "subject_type"},
    ),
    Section(
        "visits", said("Who looked"),
        said("Managers and HR who opened a page about you."),
        lambda p: visits_to(p),
        {"who": "looker__name", "what": "what", "day": "day", "first_at": "at"},
    ),
    Section(
        "exports", said("Rankings taken out"),
        said("Exports of a ranking that you are in."),
        _exports,
        {"who": "actor__name", "at": "at"},
    ),
)  # fmt: skip


def visits_to(person: Person) -> QuerySet[Visit]:
    """Who opened a page about somebody, newest first; theirs alone to read."""
    return Visit.objects.filter(subject=person).order_by("-at", "-pk")


def exports_with(person: Person) -> QuerySet[Event]:
    return _exports(person).select_related("actor")


def counts(person: Person) -> list[tuple[Section, int]]:
    """Each kind of row about somebody and how many there are; one query each."""
    return [(section, section.count(person)) for section in SECTIONS]


def about(person: Person) -> dict:
    """What stands in the person's own row."""
    user = person.user
    return {
        "name": person.name,
        "identifier": person.key,
        "email": person.email,
        "team": person.team.name if person.team else None,
        "role": person.role,
        "site": person.site,
        "shift": person.shift,
        "language": person.language,
        "time_zone": person.time_zone,
        "working_days": person.working_days,
        "day_begins": person.day_begins,
        "day_ends": person.day_ends,
        "letters_paused_until": person.letters_paused_until,
        "started_on": person.started_on,
        "part_time": person.part_time,
        "learners_at_a_time": person.capacity,
        "access": person.access,
        "calendar_feed": bool(person.calendar_key),
        "login": user and {
            "name": user.get_username(),
            "last_login": user.last_login,
            "since": user.date_joined,
        },
    }  # fmt: skip
