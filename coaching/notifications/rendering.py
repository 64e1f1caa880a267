"""Letters as readers get them: the same bytes in the mail and in the app's preview."""

import re
import threading
from dataclasses import dataclass

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from coaching.models import Letter
from coaching.notifications import unsubscribing, words

_local = threading.local()

# What stands between a text and what is said about it; mail programs know it.
RULE = "\n-- \n"


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(letter: Letter) -> Rendered:
    """
    Fill `templates/emails/<kind>/` with the letter's own context, and say below why it came
    and how to have fewer; in its reader's language.

    Depends on the rows and the templates only, so a preview equals what is sent. Who reads
    another language from now on reads old letters in the one they were sent in
    (`services.preferences`).
    """
    folder = f"emails/{letter.kind}"
    with override(letter.language or letter.recipient.reading_language):
        context = {
            **words.tell(letter.context),
            "site": settings.SITE_URL,
            "reader": letter.recipient,
            "kind": letter.kind,
            "unsubscribe": unsubscribing.address(letter.recipient, letter.kind),
        }
        subject = " ".join(render_to_string(f"{folder}/subject.txt", context).split())
        text = render_to_string(f"{folder}/body.txt", context).strip()
        context["says_why"] = RULE in text
        footer = render_to_string("emails/footer.txt", context).strip()
        html = render_to_string(f"{folder}/body.html", context)
    text = f"{text}\n{footer}\n" if context["says_why"] else f"{text}\n{RULE}{footer}\n"
    return Rendered(subject, _without_gaps(text), _inliner().inline(html))


def _without_gaps(text: str) -> str:
    """What a template leaves out leaves no hole: one empty line is enough."""
    return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", text)


def headers_for(letter: Letter) -> dict[str, str]:
    """
    What lets a mail program offer "unsubscribe" as one click (RFC 8058).

    Empty for kinds that always come.
    """
    address = unsubscribing.address(letter.recipient, letter.kind)
    if not address:
        return {}
    return {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _inliner() -> css_inline.CSSInliner:
    # One a thread: the object is cheap to use and slow to make.
    if not hasattr(_local, "inliner"):
        _local.inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_style_tags=True, keep_at_rules=True
        )
    return _local.inliner
