"""Every word there is can be read in every language, and no language reaches the wrong reader."""

import re
import shutil
import threading
from copy import deepcopy
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.template import engines
from django.template.base import Lexer, TokenType
from django.utils import translation

from coaching.management.commands.messages import SOURCE
from coaching.models import Notice
from coaching.notifications import messages, outbox, rendering, words
from tests.conftest import NOW
from tests.notifications import every

ROOT = Path(settings.BASE_DIR)
# Not "*": while words are gathered, gettext's own files stand beside the templates.
TEMPLATES = sorted(
    path for path in (ROOT / "templates").rglob("*.*") if path.suffix in (".html", ".txt")
)
LETTERS = [path for path in TEMPLATES if "emails" in path.parts]
TRANSLATED = [code for code, _ in settings.LANGUAGES if code != SOURCE]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def po(language: str) -> polib.POFile:
    return polib.pofile(str(ROOT / "coaching/locale" / language / "LC_MESSAGES/django.po"))


def forms(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


# -- translations --------------------------------------------------------------------------


@pytest.mark.parametrize("language", TRANSLATED)
def test_everything_is_translated_and_nothing_guessed(language):
    rows = po(language)
    assert len(rows) > 300
    assert [entry.msgid for entry in rows if not entry.translated()] == []
    assert [entry.msgid for entry in rows if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_names_what_its_sentence_names(language):
    for entry in po(language):
        wanted = set(PLACEHOLDER.findall(entry.msgid + entry.msgid_plural))
        for form in forms(entry):
            named = set(PLACEHOLDER.findall(form))
            # One of something need not say "1".
            assert named == wanted or (entry.msgid_plural and named < wanted), entry.msgid
            assert "%" not in PLACEHOLDER.sub("", form), entry.msgid
            assert (
                form.count("<strong>") == form.count("</strong>") == entry.msgid.count("<strong>")
            )
            assert form[:1].isspace() == entry.msgid[:1].isspace()
            assert form[-1:].isspace() == entry.msgid[-1:].isspace()


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_compiled_is_what_is_written(language):
    path = ROOT / "coaching/locale" / language / "LC_MESSAGES/django.mo"
    written, compiled = (
        {(entry.msgctxt, entry.msgid): forms(entry) for entry in rows}
        for rows in (po(language), polib.mofile(str(path)))
    )
    assert compiled == written


@pytest.mark.skipif(not shutil.which("xgettext"), reason="GNU gettext is not installed.")
@pytest.mark.parametrize("language", TRANSLATED)
def test_the_sources_say_nothing_else(language, tmp_path, settings, monkeypatch):
    monkeypatch.chdir(ROOT)
    settings.LOCALE_PATHS = [tmp_path]
    call_command("messages", verbosity=0)
    found = polib.pofile(str(tmp_path / language / "LC_MESSAGES/django.po"))
    assert {(row.msgctxt, row.msgid, row.msgid_plural) for row in found} == {
        (row.msgctxt, row.msgid, row.msgid_plural) for row in po(language)
    }, "run `make messages`, and translate what is new"


# -- letters -------------------------------------------------------------------------------


def test_no_word_of_a_letter_stands_outside_a_translation_tag():
    """Style sheets and the name of the product need none."""
    assert len(LETTERS) > 40
    for path in LETTERS:
        inside, bare = False, []
        for token in Lexer(path.read_text()).tokenize():
            name = token.contents.split()[0] if token.token_type == TokenType.BLOCK else ""
            if name in ("blocktranslate", "endblocktranslate"):
                inside = name == "blocktranslate"
            elif token.token_type == TokenType.TEXT and not inside:
                bare.append(token.contents)
        text = re.sub(r"<style>.*?</style>|<[^>]*>|&#?\w+;", " ", "".join(bare), flags=re.S)
        # Ends of addresses.
        text = re.sub(r"\b(held|moved|missed|preferences|cohorts)/", " ", text)
        left = set(re.findall(r"[^\W\d_]+", text)) - {"Lanemate"}
        assert not left, f"{path.relative_to(ROOT)}: {left}"


@pytest.fixture
def letters(pair, mara):
    return every.letters(pair, mara)


def test_every_letter_can_be_read_in_every_language(letters, pair, mara):
    people = (pair.learner, pair.coach, mara)
    for language in dict(settings.LANGUAGES):
        for name, letter in letters.items():
            letter.recipient.reads = language
            told = rendering.render(letter)
            assert 5 < len(told.subject) < 70, name
            assert f'<html lang="{language}"' in told.html
            assert letter.recipient.first_name in told.text
            for form in (told.subject, told.text):
                assert not re.search(r"&\w+;|&#|\{\{|\{%|None|~|%\(", form), name
            # No label of a table in text touches its value.
            assert not re.search(r"^[^:\n]{1,24}:[^\s/]", told.text, re.M), told.text
            for person in people:
                assert person.first_name not in told.subject
            assert pair.metric.name not in told.subject


def test_no_word_of_a_letter_escapes_translation(letters, pair, mara, monkeypatch):
    """In a language whose every sentence stands in brackets, only data stands outside them."""
    monkeypatch.setattr(translation._trans, "gettext", lambda text: f"⟦{text}⟧")
    monkeypatch.setattr(
        translation._trans, "ngettext", lambda one, many, n: f"⟦{one if n == 1 else many}⟧"
    )
    # Formats of dates would be nonsense in brackets; their months and days are Django's own.
    monkeypatch.setattr(words, "_when", lambda style, at: f"⟦{at.isoformat()}⟧")
    data = {
        pair.learner.name, pair.coach.name, pair.learner.first_name, pair.coach.first_name,
        mara.first_name, pair.metric.name, pair.cohort.name, "Noor Haddad", "Tom Ash", "Spring",
        "Europe/Zurich", "Room <3>", "Both are ill.", "Bring a case", "Calls were few.",
        "Counted twice.", "No time",
    }  # fmt: skip
    kinds = {"cases", "waiting", "silent", "failed"}
    for name, letter in letters.items():
        told = rendering.render(letter)
        for form in (told.subject, told.text):
            bare = _outside(form)
            bare = re.sub(r"https?://\S+", " ", bare)
            for value in sorted(data, key=len, reverse=True):
                bare = bare.replace(value, " ")
            left = set(re.findall(r"[^\W\d_]{2,}", bare)) - kinds
            assert not left, f"{name}: {left}"


def _outside(text: str) -> str:
    depth, kept = 0, []
    for sign in text:
        depth += {"⟦": 1, "⟧": -1}.get(sign, 0)
        if depth == 0 and sign != "⟧":
            kept.append(sign)
    return "".join(kept)


def test_dates_measures_and_sentences_follow_the_reader(pair, lea, mara):
    case_letter = every.letters(pair, mara)["reminder test_soon learner 3.31 30 on_track"]
    case_letter.recipient.reads = "de"
    told = rendering.render(case_letter).text
    assert "3,60" in told
    assert "26. April 2027" in told
    assert "am Donnerstag, 4. März 2027, 08:30 Uhr" in told
    case_letter.recipient.reads = "en"
    told = rendering.render(case_letter).text
    assert "3.60" in told
    assert "26 April 2027" in told
    assert "Thursday, 4 March 2027, 08:30" in told


def test_a_notice_and_a_calendar_file_are_written_in_the_readers_language(pair, lea, ivo):
    ivo.reads = "de"
    ivo.save()
    pair.refresh_from_db()
    outbox.promise([messages.invitation(pair, reader) for reader in (lea, pair.coach)], now=NOW)
    told = dict(Notice.objects.values_list("person__name", "text"))
    assert told == {
        "Lea Brandt": "You and Ivo Marković have been paired.",
        "Ivo Marković": "Du und Lea Brandt, ihr seid jetzt ein Tandem.",
    }
    german = every.letters(pair, lea)["session planned coach by Lea Brandt"]
    assert "SUMMARY:Coaching-Treffen" in german.context["ics"]


def test_a_language_stays_with_its_letter_and_its_thread(letters):
    """Workers write to many readers, several threads at once."""
    rows = [letters[name] for name in ("passed learner", "passed coach", "left learner True")]
    wanted = {}
    for letter in rows:
        for language in ("en", "de"):
            letter.recipient.reads = language
            wanted[letter.dedupe_key, language] = rendering.render(letter).text
    assert translation.get_language() == "en"
    wrong, ready = [], threading.Barrier(2)

    def write(language: str) -> None:
        own = deepcopy(rows)
        ready.wait()
        for letter in own * 20:
            letter.recipient.reads = language
            if rendering.render(letter).text != wanted[letter.dedupe_key, language]:
                wrong.append((letter.dedupe_key, language))
            if translation.get_language() != "en":
                wrong.append(translation.get_language())

    threads = [threading.Thread(target=write, args=(language,)) for language in ("en", "de")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- pages ---------------------------------------------------------------------------------


def test_a_stranger_reads_what_their_browser_asks_for(client, db):
    for asked, language in (("de-CH,de;q=0.9", "de"), ("en-US", "en"), ("tlh", "en"), ("", "en")):
        answer = client.get("/login/", headers={"accept-language": asked})
        assert f'<html lang="{language}">' in answer.text
        assert answer["Content-Language"] == language
        assert "Accept-Language" in answer["Vary"]
    assert translation.get_language() == "en"


def test_what_somebody_has_chosen_goes_before_their_browser(lea_client, lea):
    lea.reads = "de"
    lea.save()
    answer = lea_client.get("/letters/", headers={"accept-language": "en"})
    assert "Alles, was Lanemate dir geschrieben hat" in answer.text
    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in answer["Vary"].split(",")}
    lea.reads = "en"
    lea.save()
    assert '<html lang="en">' in lea_client.get("/me/", headers={"accept-language": "de"}).text


def test_a_link_in_a_letter_opens_in_the_language_of_its_reader(client, pair, lea):
    lea.reads = "de"
    lea.save()
    letter = messages.passed(pair, lea).letter
    address = rendering.headers_for(letter)["List-Unsubscribe"].strip("<>")
    answer = client.get(address.removeprefix(settings.SITE_URL), headers={"accept-language": "en"})
    assert "Keine solchen Briefe mehr?" in answer.text
    assert answer["Content-Language"] == "de"


NUMBERS = re.compile(
    r'\b(?:style|points|d|[cdr]?[xy][12]?|r|width|height|transform|viewBox|data-\w+)="([^"]*\d[^"]*)"'
)


def test_no_drawing_is_broken_by_a_decimal_comma(mara_client, mara, lea_client, lea, pair):
    pair.looks.create(
        week=NOW.date(), number=1, n=40, level=3.31, se=0.1, p_reached=0.1, taken_at=NOW
    )
    pages = [
        (mara_client, mara, "/"), (mara_client, mara, f"/cohorts/{pair.cohort.public_id}/"),
        (mara_client, mara, f"/pairs/{pair.public_id}/"), (lea_client, lea, "/me/"),
        (lea_client, lea, f"/pairs/{pair.public_id}/"), (lea_client, lea, "/me/skills/"),
    ]  # fmt: skip
    seen = 0
    for client, person, path in pages:
        drawn = {}
        for language in ("en", "de"):
            person.reads = language
            person.save()
            answer = client.get(path)
            assert f'<html lang="{language}">' in answer.text
            drawn[language] = NUMBERS.findall(answer.text)
        assert drawn["en"] == drawn["de"], path
        seen += len(drawn["en"])
    assert seen > 150


def test_templates_know_where_their_words_are():
    """A tag that is not loaded fails on the page only; here it fails at once."""
    for path in TEMPLATES:
        engines["django"].from_string(path.read_text())
