"""Each page that links lead to: accessible in both themes, on a phone and a desk, no complaints."""

import re
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import DESK, PHONE

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


def crawl(visitor) -> list[str]:
    """Paths that can be reached by links from the first page, a few of each kind."""
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
        for link in visitor.page.locator("a[href]:not([download])").all():
            target = urlparse(link.get_attribute("href"))
            ours = not target.netloc and target.path.startswith("/")
            if ours and not target.path.startswith(("/admin/", "/api/", "/static/")):
                waiting.append(target.path)
    return [path for kind in seen.values() for path in kind]


# Each theme on one size: between them every page is seen in both themes and on both sizes.
LOOKS = (("light", PHONE), ("dark", DESK))


@pytest.mark.parametrize("login", ["mara", "ivo", "lea"])
def test_no_page_complains(visit, login):
    visitor = visit(login)
    paths = crawl(visitor)
    assert len(paths) >= 4
    faults = []
    for scheme, size in LOOKS:
        visitor.page.emulate_media(color_scheme=scheme)
        visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
        for path in paths:
            visitor.page.goto(path)
            width = visitor.page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                faults.append(f"{path} is {width} px wide on a screen of {size[0]} px")
            found = Axe().run(visitor.page, options={"runOnly": {"type": "tag", "values": RULES}})
            for violation in found.response["violations"]:
                where = violation["nodes"][0]["html"][:150]
                faults.append(f"{path} ({scheme}, {size[0]} px): {violation['help']}: {where}")
    assert not faults, "\n".join(sorted(set(faults)))
    assert not visitor.complaints, "\n".join(visitor.complaints)


def test_it_reads_without_javascript(visit):
    visitor = visit("mara", java_script_enabled=False)
    for path in crawl(visitor):
        visitor.page.goto(path)
        assert visitor.page.locator("main").inner_text().strip(), path
