from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import include, path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from coaching.api import schema  # noqa: F401 (registers how tokens are described)
from coaching.api.views import (
    auth,
    cohorts,
    departures,
    imports,
    letters,
    own,
    pairs,
    people,
    plans,
    preferences,
    rankings,
)

app_name = "api"

router = SimpleRouter(use_regex_path=False)
router.register("teams", people.Teams, "team")
router.register("people", people.People, "person")
router.register("metrics", people.Metrics, "metric")
router.register("hand-raises", people.Hands, "hand-raise")
router.register("imports", imports.Imports, "import")
router.register("scorecards", rankings.Scorecards, "scorecard")
router.register("rankings", rankings.Rankings, "ranking")
router.register("rankings/<slug:id>/standings", rankings.Standings, "standing")
router.register("cohorts", cohorts.Cohorts, "cohort")
router.register("plans", plans.Plans, "plan")
router.register("pairs", pairs.Pairs, "pair")
router.register("pairs", departures.PairSides, "pair-side")
router.register("plans", departures.LaunchLetters, "plan-launch")
router.register("people", departures.PersonDays, "person-days")
router.register("sessions", pairs.Sessions, "session")
router.register("cases", pairs.Cases, "case")
router.register("letters", letters.Letters, "letter")
router.register("notices", letters.Notices, "notice")
router.register("me/visits", own.MyVisits, "visit")
router.register("me/channels", preferences.Channels, "channel")
router.register("events", letters.Events, "event")
router.register("readings", people.Readings, "reading")

# The same for everybody, and a fifth of a second of work.
description = cache_page(3600)(SpectacularAPIView.as_view())
# The page puts one style sheet inline. Its scripts come from us, in files.
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(
    SpectacularSwaggerSplitView.as_view(url_name="api:schema")
)

urlpatterns = [
    path("auth/token/", auth.SignIn.as_view(), name="token"),
    path("auth/logout/", auth.SignOut.as_view(), name="logout"),
    path("auth/logoutall/", auth.SignOutEverywhere.as_view(), name="logout-all"),
    path("me/", people.MeView.as_view(), name="me"),
    path("me/preferences/", preferences.Preferences.as_view(), name="my-preferences"),
    path("me/data/", own.MyData.as_view(), name="my-data"),
    path("me/calendar/", own.MyCalendar.as_view(), name="my-calendar"),
    path("me/skills/", people.MySkillsView.as_view(), name="my-skills"),
    path("schema/", description, name="schema"),
    path("docs/", docs, name="docs"),
    path("", include(router.urls)),
]
