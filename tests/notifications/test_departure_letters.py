"""Letters about leaving, waiting, helping and launches that were taken back."""

from datetime import timedelta

import pytest

from coaching.models import Helper, Letter, Waiting
from coaching.notifications import messages, outbox, rendering, words
from coaching.services import departures
from tests import factories
from tests.conftest import NOW

LATER = NOW + timedelta(days=3)


@pytest.fixture
def letters(pair, mara, lea, ivo) -> dict[str, Letter]:
    """One of each kind, by kind and reader."""
    helper = Helper.objects.create(pair=pair, person=factories.make_person("Noor H"), since=NOW)
    made = [
        messages.correction(pair.cohort, lea, launched_at=NOW, partners=[ivo.name]),
        messages.left(pair, lea, waits=True),
        messages.left(pair, ivo, waits=True),
        messages.helper(helper),
        messages.proposal(
            pair.cohort,
            mara,
            items=[
                {
                    "waiting": 1, "learner": lea.name, "coach": ivo.name, "since": "1 March 2027",
                    "metric": "Customer satisfaction",
                }
            ],
        ),
    ]  # fmt: skip
    outbox.promise(made, now=NOW)
    return {
        f"{letter.kind} {letter.recipient.first_name}": letter
        for letter in Letter.objects.select_related("recipient")
    }


@pytest.mark.parametrize(
    "which", ["correction Lea", "left Lea", "left Ivo", "helper Noor", "proposal Mara"]
)
def test_each_reads_well_in_both_forms_under_a_neutral_subject(letters, pair, which):
    letter = letters[which]
    rendered = rendering.render(letter)
    for form in (rendered.text, rendered.html):
        assert letter.recipient.first_name in form
        assert words.tell(letter.context["reason"]) in form
        assert letter.context["link"] in form
        assert "{{" not in form
    assert 5 < len(rendered.subject) < 70
    for secret in ("Lea", "Ivo", "satisfaction"):
        assert secret not in rendered.subject
    if which != "proposal Mara":
        for word in ("weak", "rank", "band", "worst"):
            assert word not in rendered.text.casefold()


def test_who_learns_and_who_coached_read_different_letters(letters):
    learner = rendering.render(letters["left Lea"]).text
    assert "your target of" in learner
    assert "is being looked for" in learner
    assert "Thank you for the time" in rendering.render(letters["left Ivo"]).text


def test_a_letter_to_a_helper_waits_for_no_pair_that_has_ended(letters, pair, ivo, mailoutbox):
    departures.end_pair(pair=pair, by=ivo, now=NOW)
    letters["helper Noor"].refresh_from_db()
    assert letters["helper Noor"].state == Letter.State.CANCELLED


def test_a_proposal_is_not_sent_to_who_does_not_manage_any_more(letters, pair, mara, team):
    row = Waiting.objects.create(
        cohort=pair.cohort, learner=pair.learner, why="left", place=1, since=NOW,
        proposal={"coach": "x"},
    )  # fmt: skip
    letter = letters["proposal Mara"]
    Letter.objects.filter(pk=letter.pk).update(context=letter.context | {"waiting": [row.pk]})
    team.manager = None
    team.save()
    outbox.deliver_due(now=LATER)
    letter.refresh_from_db()
    assert (letter.state, letter.outcome) == (
        Letter.State.CANCELLED, "Mara Lindqvist does not look after this cohort any more.",
    )  # fmt: skip
