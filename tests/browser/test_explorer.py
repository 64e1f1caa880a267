"""The ranking explorer in a real browser: keys, filters in place, exports, a small phone."""

import csv
import re
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import expect


@pytest.fixture
def explorer(visit):
    visitor = visit("mara")
    visitor.page.goto("/rankings/")
    visitor.page.locator("main a[href^='/rankings/']").first.click()
    expect(visitor.page.locator("[data-row]").first).to_be_visible()
    # Keys work once the script has run.
    visitor.page.wait_for_load_state()
    return visitor


def asked(page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


def focused_row(page) -> int:
    """Which row of the table holds the focus; -1 when none does."""
    return page.evaluate(
        "[...document.querySelectorAll('[data-row]')].findIndex("
        "row => row.contains(document.activeElement))"
    )


def test_filters_answer_in_place_and_stay_in_the_address(explorer):
    page = explorer.page
    everybody = page.get_by_role("status").filter(has_text=" of ").inner_text()
    page.evaluate("window.stays = true")
    page.evaluate("document.querySelector('#q').scrollIntoView({behavior: 'instant'})")
    at = page.evaluate("scrollY")
    page.locator("#q").press_sequentially("an", delay=30)
    expect(page.get_by_role("status").filter(has_text=" of ")).not_to_have_text(everybody)
    # No reload, no jump, and the cursor is still in the half typed name.
    assert page.evaluate("window.stays") is True
    assert abs(page.evaluate("scrollY") - at) < 2
    assert page.evaluate("document.activeElement.id") == "q"
    assert asked(page)["q"] == ["an"]
    page.locator("#sort").select_option("name")
    page.wait_for_url(re.compile("sort=name"))
    page.locator("nav .tabs a").nth(1).click()
    page.wait_for_url(re.compile("metric="))
    assert asked(page)["q"] == ["an"]
    assert asked(page)["sort"] == ["name"]
    expect(page.locator("#q")).to_have_value("an")
    names = page.locator("[data-row] th a").all_inner_texts()
    assert names
    assert all("an" in name.lower() for name in names)


def test_keys_walk_the_rows_and_one_box_turns_them_off(explorer):
    page = explorer.page
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert focused_row(page) == row
    page.keyboard.press("w")
    expect(page.locator("[data-row]").nth(1).locator("dl.why")).to_be_visible()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    # Whoever types a name types letters.
    page.keyboard.press("j")
    expect(page.locator("#q")).to_have_value("j")
    page.locator("#q").fill("")
    page.locator("#q").blur()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    assert focused_row(page) == -1
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use these keys").check()
    page.get_by_role("button", name="Close").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert focused_row(page) == 0


@pytest.mark.parametrize(("button", "ending"), [("CSV", ".csv"), ("Excel", ".xlsx")])
def test_what_is_seen_is_downloaded(explorer, button, ending):
    page = explorer.page
    page.locator("#band").select_option("cannot tell")
    page.wait_for_url(re.compile("band="))
    status = page.get_by_role("status").filter(has_text=" of ")
    expect(page.locator(".is-loading")).to_have_count(0)
    people = int(status.inner_text().split()[0].replace(",", ""))
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    path = download.value.path()
    assert download.value.suggested_filename.endswith(ending)
    if ending == ".csv":
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        # A heading, and below the people an empty line and what this is for.
        assert len(rows) - 3 == people
    else:
        assert path.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_runs_out_of_a_small_screen(explorer, width):
    page = explorer.page
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("nav .tabs a").nth(1).click()
    page.locator("[data-row] summary").first.click()
    page.locator("#by").select_option("team")
    page.wait_for_url(re.compile("by=team"))
    expect(page.locator(".group-row").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("[data-row] th a").first.click()
    page.locator("details", has_text="History").last.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_filters_without_javascript(visit):
    page = visit("mara", java_script_enabled=False).page
    page.goto("/rankings/")
    page.locator("main a[href^='/rankings/']").first.click()
    page.locator("#q").fill("an")
    page.get_by_role("button", name="Show", exact=True).click()
    assert asked(page)["q"] == ["an"]
    assert all("an" in name.lower() for name in page.locator("[data-row] th a").all_inner_texts())
    expect(page.get_by_role("button", name="Keys")).to_be_hidden()
