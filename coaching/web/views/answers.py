"""
How a session went, said from a letter without signing in.

Mail scanners follow links, so opening one only shows a page with a button. The page tells
nobody's name and no skill: whoever holds the link learns no more than the hour.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from coaching.errors import CoachingError
from coaching.models import Person, Session
from coaching.notifications import answers
from coaching.notifications.words import tell
from coaching.services import sessions
from coaching.web.doors import render_for
from coaching.web.pair_forms import PlanSessionForm

ANSWERS = ("held", "moved", "missed")


# The signature in the address is the permission; there is no session that could be ridden.
@csrf_exempt
@never_cache
def session_answer(request: HttpRequest, token: str, answer: str) -> HttpResponse:
    session, person = _who(token, request.person)
    if answer not in ANSWERS:
        raise Http404
    now = request.now
    today = now.astimezone(person.zone).date()
    moved = answer == "moved"
    form = None
    if moved:
        given = request.POST if request.method == "POST" else None
        form = PlanSessionForm(given, zone=person.zone, today=today, session=session)
    context = {
        "session": session,
        "answer": answer,
        "form": form,
        "token": token,
        "over": session.starts_at <= now,
        "done": False,
        "refusal": "",
    }
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            if moved:
                sessions.move(session=session, by=person, now=now, **form.cleaned_data)
            elif answer == "held":
                sessions.hold(session=session, by=person, now=now)
            else:
                sessions.miss(session=session, by=person, now=now)
            context["done"] = True
        except CoachingError as refusal:
            context["refusal"] = tell(refusal.message)
        session.refresh_from_db()
    return render_for(person, request, "staff/answer.html", context)


def _who(token: str, reader: Person | None) -> tuple[Session, Person]:
    """The session and the person a link was written for, while both still belong together."""
    read = answers.read(token)
    if read is None:
        raise Http404
    uid, public_id = read
    session = (
        Session.objects.filter(uid=uid)
        .select_related("pair__learner__team", "pair__coach", "pair__metric", "pair__cohort")
        .first()
    )
    if session is None or session.starts_at is None:
        raise Http404
    halves = (session.pair.learner, session.pair.coach)
    person = next((one for one in halves if one.public_id == public_id and one.active), None)
    if person is None:
        raise Http404
    # Managers read letters word for word; nobody answers in somebody else's name.
    if reader is not None and reader.pk != person.pk:
        raise Http404
    return session, person
