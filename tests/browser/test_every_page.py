"""
Each page that links lead to: accessible in both themes, on a phone and a desk, light, calm, no
complaints, and readable without JavaScript.
"""

import re
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import DESK, PHONE, visiting

# Of pages of one kind (all pairs, all letters) so many are looked at.
EACH_KIND = 2
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def kind_of(path: str) -> str:
    """
    '/pairs/k3j4.../' and its siblings are one kind of page; so are those that differ by a
    number, a day or a signed token.
    """
    return re.sub(
        r"/([23456789bcdfghjkmnpqrstvwxz]{12}|[0-9-]+|[\w-]+[:.][\w:.-]{20,})(?=/|$)", "/*", path
    )


def crawl(visitor) -> list[list[str]]:
    """Paths that can be reached by links from the first page: of each kind a few."""
    seen: dict[str, list[str]] = {}
    waiting = [urlparse(visitor.page.url).path]
    while waiting:
        path = waiting.pop(0)
        kind = seen.setdefault(kind_of(path), [])
        if path in kind or len(kind) >= EACH_KIND:
            continue
        kind.append(path)
        answer = visitor.page.goto(path)
        assert answer.status == 200, path
        for link in visitor.page.eval_on_selector_all(
            "a[href]:not([download])", "links => links.map((link) => link.getAttribute('href'))"
        ):
            target = urlparse(link)
            ours = not target.netloc and target.path.startswith("/")
            if ours and not target.path.startswith(("/admin/", "/api/", "/static/")):
                waiting.append(target.path)
    return list(seen.values())


# Each theme on one size: between them every kind of page is seen in both, of many a different one.
LOOKS = (("light", PHONE), ("dark", DESK))
LOGINS = ("mara", "ivo", "lea")
# What a first visit fetches, as it comes over the wire: the page and all that belongs to it.
WEIGHT = """
["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)
"""
HEAVIEST = 150_000


@pytest.fixture(scope="module")
def paths(browser, site) -> dict[str, list[list[str]]]:
    """Which pages there are for each login, by kind."""
    with visiting(browser, site) as come:
        return {login: crawl(come(login)) for login in LOGINS}


@pytest.mark.parametrize("login", LOGINS)
def test_no_page_complains(visit, paths, login):
    page = visit(login).page
    assert len(paths[login]) >= 4
    faults = []
    for look, (scheme, size) in enumerate(LOOKS):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for path in (kind[look % len(kind)] for kind in paths[login]):
            page.goto(path)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                faults.append(f"{path} is {width} px wide on a screen of {size[0]} px")
            weight = page.evaluate(WEIGHT)
            if not 0 < weight < HEAVIEST:
                faults.append(f"{path} weighs {weight} bytes")
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
            for violation in found.response["violations"]:
                where = violation["nodes"][0]["html"][:150]
                faults.append(f"{path} ({scheme}, {size[0]} px): {violation['help']}: {where}")
    assert not faults, "\n".join(sorted(set(faults)))


@pytest.mark.parametrize("login", LOGINS)
def test_it_reads_without_javascript(visit, paths, login):
    page = visit(login, java_script_enabled=False).page
    for path in (kind[0] for kind in paths[login]):
        page.goto(path)
        assert page.locator("main").inner_text().strip(), path
        # What only a script could show or press is not there.
        for button in page.locator("button[data-keys-open], button[data-print]").all():
            assert not button.is_visible(), path


def test_whatever_the_policy_stops_or_jumps_is_told(visit):
    """The watch itself: without this, a browser that tells nothing would pass everywhere."""
    visitor = visit("lea")
    visitor.page.evaluate("document.body.setAttribute('style', 'color: red')")
    visitor.page.evaluate(
        "document.body.prepend(Object.assign(document.createElement('div'), {innerHTML:"
        " '<br>'.repeat(20)}))"
    )
    visitor.page.wait_for_timeout(500)
    told, visitor.complaints[:] = "\n".join(visitor.complaints), []
    assert "style-src" in told
    assert "The page jumped" in told
