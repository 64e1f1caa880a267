"""What plans keep in English is found again, whoever it is about, and said in German."""

import pytest
from django.utils import translation

from coaching.domain.matching import explain
from coaching.services.plans import sentences
from coaching.web.retold import PLACE, retold

KEPT = [
    *sentences.STEPS, *sentences.WHY_NOT, *sentences.MOVES, *sentences.WITHOUT_A_COACH,
    *explain.CLAUSES,
]  # fmt: skip


@pytest.fixture
def german():
    with translation.override("de"):
        yield


def filled(sentence: str, **values: str) -> str:
    names = {name: f"Dr. Ito {name.title()}" for name in PLACE.findall(sentence)}
    return sentence % {**names, **values}


@pytest.mark.parametrize("sentence", KEPT)
def test_every_sentence_is_found_again(german, sentence):
    assert retold(filled(sentence)) == filled(translation.gettext(sentence))


def test_in_english_nothing_is_touched():
    assert retold("Drafted") == "Drafted"


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (
            "Three learners compete for the two seats of Ada, Ivo and Uli; one more seat at any of "
            "them or lifting the rule that forbids Max with Ada would place one more of them.",
            "3 Lernende bewerben sich um 2 Plätze bei Ada, Ivo und Uli; ein Platz mehr bei "
            "irgendeinem davon oder die Regel aufzuheben, die Max mit Ada verbietet, würde für "
            "eine Person mehr reichen.",
        ),
        (
            "Lea has a coach for Tone and Closing, and none for the rest. No coach is of the same "
            "peer group as Lea and free to coach them. Add a coach of that group. The lot decided: "
            "place 3 of 8.",
            "Lea hat einen Coach für Tone und Closing und keinen für das Übrige. Kein freier Coach "
            "ist in derselben Vergleichsgruppe wie Lea. Nimm einen aus dieser Gruppe auf. Das Los "
            "hat entschieden: Rang 3 von 8.",
        ),
        (
            "Preferences: same site 100, know each other 20; Weights: those of the ranking; No "
            "pair below 300",
            "Wünsche: Gleicher Standort 100, Kennen sich 20; Gewichte: die der Auswertung; Kein "
            "Tandem unter 300",
        ),
        (
            "Ivo's seat went to Lea, whom you pinned; Max is strongest with Ada next.",
            "Der Platz bei Ivo ging an Lea, weil du das festgelegt hast; für Max ist Ada der "
            "nächstbeste Coach.",
        ),
        (
            "Lea left out of this plan: Ill. Back in May; perhaps",
            "Lea von diesem Plan ausgelassen: Ill. Back in May; perhaps",
        ),
        ("Ill. Back in May; perhaps", "Ill. Back in May; perhaps"),
    ],
)
def test_what_was_kept_is_told(german, kept, told):
    assert retold(kept) == told
