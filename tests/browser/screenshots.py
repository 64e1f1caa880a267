"""
`make screenshots`: the pictures in docs/screenshots, taken anew from the running product.

Starts servers of its own on databases of its own. The pictures with real exports (the
lecturers, the call centre) need the folder with them beside the project, or its path as the
only argument; without it they stay as they are.
"""

import os
import re
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import DESK, JUMPED, PHONE, ROOT, Visitor, run, serving

PICTURES = ROOT / "docs" / "screenshots"
EXPORTS = ROOT.parent / "shared" / "data"
# Larger pictures make a clone slow for everybody.
MOST_BYTES = 200_000

BEFORE = """
from django.contrib.auth import get_user_model
from coaching.models import Person, Team
login = get_user_model().objects.create_user("hr", password="lanemate")
Person.objects.create(key="hr", name="Hanna Reuter", user=login, access=Person.Access.HR)
for name in ("Lecturers", "Call centre"):
    Team.objects.create(name=name)
"""
# Departments came with the rows; together they are the lecturers.
AFTER = """
from coaching.models import Metric, Team
root = Team.objects.get(name="Lecturers")
for team in Team.objects.exclude(name__in=["Lecturers", "Call centre"]):
    team.name, team.parent = f"Department {team.name}", root
    team.save()
Metric.objects.filter(key="y").update(name="Rating of the lecture")
"""
SERVERS_PERSON = """
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser("admin", password="lanemate")
"""


def manage(var: Path, *words: str) -> None:
    run(var, "manage.py", *words)


def keep(visitor: Visitor, name: str) -> None:
    """Keep what is on the screen as docs/screenshots/<name>.png."""
    page = visitor.page
    page.wait_for_load_state("networkidle")
    path = PICTURES / f"{name}.png"
    path.write_bytes(tight(page.screenshot()))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    if path.stat().st_size > MOST_BYTES:
        sys.exit(f"{path.name} is larger than {MOST_BYTES / 1000:.0f} kB.")
    # Whether pages jump is for the tests, which look twice.
    if complaints := [one for one in visitor.complaints if JUMPED not in one]:
        sys.exit("\n".join(complaints))


def tight(png: bytes) -> bytes:
    """The same picture, packed as tightly as zlib can; browsers pack for speed."""
    head, chunks, packed, at = png[:8], [], b"", 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IDAT":
            packed += png[at + 8 : at + 8 + size]
        else:
            chunks.append(png[at : at + 12 + size])
        at += 12 + size
    body = b"IDAT" + zlib.compress(zlib.decompress(packed), level=9)
    idat = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return head + b"".join(chunks[:-1]) + idat + chunks[-1]


# A picture's name: where it starts, and the links to follow from there.
RANKING, COHORT = "[href^='/rankings/']", "[href^='/cohorts/']:not([href$='/plan/'])"
Ways = dict[str, tuple[str, ...]]
MANAGERS: Ways = {
    "cohorts": ("/cohorts/",),
    "waiting": ("/cohorts/", COHORT, "[href$='/waiting/']"),
    "triage": ("/triage/",),
    "case": ("/triage/", "[href^='/triage/']"),
    "imports": ("/imports/",),
    "import-new": ("/imports/new/",),
    "import": ("/imports/", "[href^='/imports/']:not([href='/imports/new/'])"),
    "rankings": ("/rankings/",),
    "scorecard": ("/rankings/", "[href^='/scorecards/']:not([href='/scorecards/new/'])"),
    "selection": ("/rankings/", RANKING, "[href$='/selection/']"),
    "drivers": ("/rankings/", RANKING, "[href*='/drivers/']"),
    "person": ("/rankings/", RANKING, "[href^='/people/']"),
    "hands": ("/hands/",),
    "teams": ("/teams/",),
    "team": ("/teams/", "[href^='/teams/']"),
    "audit": ("/audit/",),
    "letters": ("/letters/",),
    "undelivered": ("/letters/undelivered/",),
    "notices": ("/notices/",),
    "my-digest": ("/digest/",),
}
STEPS_OF_A_PLAN = (
    "unpaired", "coaches", "people", "wishes", "steps", "compare", "swap", "letters",
)  # fmt: skip
LEARNERS: Ways = {
    "me": ("/me/",),
    "skills": ("/me/skills/",),
    "my-data": ("/me/data/",),
    "preferences": ("/preferences/",),
    "pair-learner": ("/me/", "[href^='/pairs/']:not([href$='/why/'])"),
    "why": ("/me/", "[href$='/why/']"),
    "worksheet": ("/me/", "[href$='/worksheet/']"),
}
COACHES: Ways = {"coaching": ("/me/coaching/",), "me-coach": ("/me/",)}
SERVERS: Ways = {"status": ("/status/",), "styleguide": ("/styleguide/",)}


def follow(visitor: Visitor, ways: Ways, ending: str = "") -> None:
    for name, (start, *links) in ways.items():
        visitor.page.goto(start)
        for link in links:
            address = visitor.page.locator(f"main a{link}").first.get_attribute("href")
            visitor.page.goto(address)
        keep(visitor, name + ending)


def of_the_centre(browser: Browser, var: Path) -> None:
    with serving(var, "demo") as site:
        mara = Visitor(browser, site, size=DESK).sign_in("mara")
        page = mara.page
        keep(mara, "home")
        page.goto("/cohorts/")
        page.locator("main").get_by_role("link", name=re.compile("First cohort")).first.click()
        keep(mara, "board")
        page.locator("main a[href^='/pairs/']").first.click()
        keep(mara, "pair")
        page.goto("/rankings/")
        page.locator("main a[href^='/rankings/']").first.click()
        keep(mara, "explorer")
        page.get_by_role("link", name="Plan a cohort").click()
        page.get_by_label("Name").fill("Winter")
        keep(mara, "cohort-new")
        page.locator("main form button[type=submit]").last.click()
        keep(mara, "draft")
        page.get_by_role("button", name=re.compile("plan", re.I)).first.click()
        page.wait_for_url("**/plans/**")
        keep(mara, "plan")
        plan = page.url.split("?")[0]
        for step in STEPS_OF_A_PLAN:
            page.goto(f"{plan}{step}/")
            keep(mara, f"plan-{step}")
        page.goto("/letters/")
        page.locator("main table").get_by_role("link", name=re.compile("digest")).first.click()
        keep(mara, "digest")
        follow(mara, MANAGERS)
        mara.context.close()
        dark = Visitor(browser, site, size=DESK, scheme="dark").sign_in("mara")
        keep(dark, "home-dark")
        follow(dark, {"board": ("/cohorts/", COHORT)}, "-dark")
        dark.context.close()
        manage(var, "shell", "-v", "0", "-c", SERVERS_PERSON)
        for login, size, ways in (
            ("mara", PHONE, {"home-phone": ("/",), "board-phone": ("/cohorts/", COHORT)}),
            ("lea", PHONE, LEARNERS),
            ("ivo", PHONE, COACHES),
            ("admin", DESK, SERVERS),
        ):
            visitor = Visitor(browser, site, size=size).sign_in(login)
            follow(visitor, ways)
            visitor.context.close()


def of_real_exports(browser: Browser, var: Path, exports: Path) -> None:
    manage(var, "migrate", "--verbosity", "0")
    manage(var, "shell", "-v", "0", "-c", BEFORE)
    lecturers, calls = exports / "lecturer_ratings.csv", exports / "call_centre_calls.xlsx"
    manage(var, "import_metrics", str(lecturers), "--person", "d", "--team", "Lecturers")
    manage(var, "import_metrics", str(calls), "--team", "Call centre")
    manage(var, "shell", "-v", "0", "-c", AFTER)
    with serving(var, "serve") as site:
        visitor = Visitor(browser, site, size=DESK).sign_in("hr")
        page = visitor.page
        for team, skill, name in (
            ("Lecturers", "Rating of the lecture", "explorer-lecturers"),
            ("Call centre", "Satisfaction rating", "explorer-agents"),
        ):
            page.goto("/rankings/")
            page.get_by_label("Rank a team").select_option(label=team)
            page.get_by_role("button", name="Rank now").click()
            page.get_by_role("link", name=skill).click()
            # The picture is of the chart and the people, not of the navigation.
            page.evaluate(
                "document.querySelector('nav .tabs').scrollIntoView({behavior: 'instant'})"
            )
            keep(visitor, name)
        page.locator("[data-row] summary").first.click()
        page.evaluate(
            "document.querySelector('[role=search]').scrollIntoView({behavior: 'instant'})"
        )
        keep(visitor, "explorer-why")
        visitor.context.close()


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if not chromium:
        sys.exit("No Chromium here. On Debian: apt install chromium")
    exports = Path(sys.argv[1]) if len(sys.argv) > 1 else EXPORTS
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        var = Path(folder)
        if exports.is_dir():
            of_real_exports(browser, var / "real", exports)
        else:
            print(f"{exports} is not here: the pictures of real exports stay as they are.")
        of_the_centre(browser, var / "demo")
        browser.close()


if __name__ == "__main__":
    main()
