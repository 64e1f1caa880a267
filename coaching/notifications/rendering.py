"""Letters as readers get them: the same bytes in the mail and in the app's preview."""

import threading
from dataclasses import dataclass

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from coaching.models import Letter

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(letter: Letter) -> Rendered:
    """
    Fill `templates/emails/<kind>/` with the letter's own context.

    Depends on the row and the templates only, so a preview equals what is sent.
    """
    context = {
        **letter.context,
        "site": settings.SITE_URL,
        "reader": letter.recipient,
        "kind": letter.kind,
    }
    folder = f"emails/{letter.kind}"
    with override(settings.LANGUAGE_CODE):
        subject = " ".join(render_to_string(f"{folder}/subject.txt", context).split())
        text = render_to_string(f"{folder}/body.txt", context).strip() + "\n"
        html = render_to_string(f"{folder}/body.html", context)
    return Rendered(subject, text, _inliner().inline(html))


def _inliner() -> css_inline.CSSInliner:
    # One a thread: the object is cheap to use and slow to make.
    if not hasattr(_local, "inliner"):
        _local.inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_style_tags=True, keep_at_rules=True
        )
    return _local.inliner
