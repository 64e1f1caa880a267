"""
A real browser on the real product: a server in a process of its own.

Nothing here touches the database; what is seen is what a person would see, and whatever the
browser complains of (an error, what the Content-Security-Policy stopped, a page that jumps)
fails the test. Needs Debian's Chromium (or CHROMIUM=/path/to/it); without one the tests say so
and skip.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PHONE, DESK = (390, 844), (1280, 900)
SMALLEST = (360, 740)
# For whoever measures where something is: nothing is still on its way there.
STILL = {"reduced_motion": "reduce"}
PASSWORD = "lanemate"
# Runs in each page before its own scripts: what it warns of is a complaint.
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.warn(`Stopped by the policy: ${event.violatedDirective} ${event.blockedURI}`));
let shifted = 0;
// What moves as the answer to a press is no jump.
let pressed = -Infinity;
for (const kind of ["pointerdown", "keydown", "input", "submit"]) {
  addEventListener(kind, () => (pressed = performance.now()), true);
}
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput || entry.startTime < pressed + 5000) continue;
    shifted += entry.value;
    const what = entry.sources.map(({ node }) => node?.className || node?.nodeName);
    if (shifted >= 0.02) console.warn(`The page jumped by ${shifted.toFixed(3)}: ${what}`);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
JUMPED = "The page jumped"
# A page that is not there is asked for on purpose, and the watch stays out of a letter's sandbox.
MEANT = ("404", "Blocked script execution")


@pytest.fixture(autouse=True)
def _quiet_world() -> None:
    """The server has its own world; nothing to prepare here."""


def environment(var: Path) -> dict[str, str]:
    """That of a process whose database and letters lie in the folder `var`."""
    ours = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL")
    return {k: v for k, v in os.environ.items() if k not in ours} | {"LANEMATE_VAR": str(var)}


def run(var: Path, *words: str) -> None:
    """Run `python …` beside the server of that folder, and wait for it."""
    subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment(var), check=True, timeout=600,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(var: Path, command: str) -> Iterator[str]:
    """`manage.py demo` or `serve` on a free port, until the block ends; gives its address."""
    port = free_port()
    var.mkdir(parents=True, exist_ok=True)
    with (var / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", command, "--port", str(port)],
            cwd=ROOT, env=environment(var), stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1500):
            if process.poll() is not None:
                raise RuntimeError(f"{command} ended by itself:\n{(var / 'log').read_text()}")
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise RuntimeError(f"{command} did not answer:\n{(var / 'log').read_text()}")
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[str]:
    """The address of a simulated contact centre that runs for this session."""
    with serving(tmp_path_factory.mktemp("var"), "demo") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if not chromium:
        pytest.skip("No Chromium here. On Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


class Visitor:
    """Somebody in front of a browser; keeps what the browser complained of."""

    def __init__(self, browser: Browser, site: str, *, size=DESK, scheme: str = "light", **options):
        self.site = site
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            base_url=site,
            locale="en-GB",
            **options,
        )
        self.context.add_init_script(WATCH)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message) -> None:
        if message.type in ("error", "warning") and not any(one in message.text for one in MEANT):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def leave(self) -> list[str]:
        """Go, and say what to complain of: of pages that jumped, those that do it again."""
        # A busy machine may show a page before all of it has arrived.
        jumped = [one for one in self.complaints if JUMPED in one]
        self.complaints = [one for one in self.complaints if JUMPED not in one]
        for url in {one.split(f": {JUMPED}")[0] for one in jumped}:
            self.page.goto(url)
            self.page.wait_for_timeout(300)
        self.context.close()
        return self.complaints

    def sign_in(self, login: str) -> "Visitor":
        self.page.goto("/login/")
        self.page.locator("input[name=username]").fill(login)
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.locator("main button[type=submit]").click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self


@contextmanager
def visiting(browser: Browser, site: str) -> Iterator[Callable[..., Visitor]]:
    """Lets visitors in, signed in when they have a login; as they leave, nobody may complain."""
    visitors: list[Visitor] = []

    def come(login: str = "", **options) -> Visitor:
        visitor = Visitor(browser, site, **options)
        visitors.append(visitor)
        return visitor.sign_in(login) if login else visitor

    yield come
    complaints = [complaint for visitor in visitors for complaint in visitor.leave()]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def visit(browser, site):
    with visiting(browser, site) as come:
        yield come


FOCUS = """
() => {
  const element = document.activeElement;
  const named = element.labels?.[0] ?? element;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name: (element.getAttribute("aria-label") ?? named.innerText).trim().replace(/\\s+/g, " "),
    // In a date or a time, the browser itself marks the part that has the focus.
    seen: (["date", "time"].includes(element.type)
        || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2))
      && box.width > 0 && hit !== null && (element.contains(hit) || hit.contains(element)),
  };
}
"""
# So many times somebody presses Tab before giving up.
PATIENCE = 150


class Keyboard:
    """Somebody without a mouse, who has to see where the focus is at each step."""

    def __init__(self, page: Page):
        self.page = page

    @property
    def focused(self) -> str:
        """What has the focus, by its name."""
        return self.page.evaluate(FOCUS)["name"]

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def tab_to(self, name: str) -> None:
        passed = []
        for _ in range(PATIENCE):
            self.press("Tab")
            focus = self.page.evaluate(FOCUS)
            for _ in range(10):
                if focus["seen"]:
                    break
                self.page.wait_for_timeout(50)
                focus = self.page.evaluate(FOCUS)
            assert focus["seen"], f"The focus is not seen on {self.page.url}: {focus}"
            if focus["name"].startswith(name):
                return
            passed.append(focus["name"])
        pytest.fail(f"Tab does not reach {name!r} but {passed}")

    def follow(self, name: str) -> None:
        """Go to the link or the button of that name, and where it leads."""
        self.tab_to(name)
        with self.page.expect_navigation():
            self.press("Enter")

    def sign_in(self, login: str) -> None:
        for label, words in (("Login", login), ("Password", PASSWORD)):
            if not self.focused.startswith(label):
                self.tab_to(label)
            self.page.keyboard.type(words)
        self.press("Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)
