"""Take the README's screenshots: serve the demo market, sign in as each role, photograph its pages.

Run `make demo` first, then `make screenshots` (needs chromium: C2M_CHROMIUM, else /usr/bin/chromium).
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from c2m.config import DEMO_PASSWORD
from c2m.demo.people import email_of
from c2m.identity.models import Role

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shot:
    """One picture: whose page, where, what to follow from there, in which language and width."""

    name: str
    role: Role | None
    path: str
    follow: str = ""
    language: str = "zh-CN"
    width: int = 1280
    height: int = 860


SHOTS = (
    Shot("marketplace", Role.BUYER, "/market"),
    Shot("marketplace-phone", Role.BUYER, "/market", width=390, height=844),
    Shot(
        "campaign", Role.BUYER, "/market?kind=group_buy", follow="ul.items li.item h3 a", language="en-GB", height=1100
    ),
    Shot("order", Role.BUYER, "/orders", follow="ul.orders h3 a"),
    Shot("inbox", Role.FACTORY, "/factory/inbox"),
    Shot("capacity", Role.FACTORY, "/factory/capacity", language="en-GB"),
    Shot("validation", Role.MERCHANDISER, "/studio/concepts", follow="main h3 a, main table a", language="en-GB"),
    Shot("campaigns", Role.MERCHANDISER, "/studio/campaigns"),
    Shot("console", Role.OPERATOR, "/operator"),
    Shot("audit", Role.OPERATOR, "/operator/audit", language="en-GB"),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=HERE / "images")
    options.add_argument("--only", nargs="*", default=[], help="names of shots")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("C2M_CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        for shot in SHOTS:
            if not chosen.only or shot.name in chosen.only:
                take(browser, site, shot, chosen.out / f"{shot.name}.png")
        browser.close()


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The site on a free port of this machine, in demo mode."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"C2M_DEMO": "1", "C2M_JOB_THREADS": "0"}
    server = subprocess.Popen([sys.executable, "-m", "c2m", "serve", "--port", str(port)], env=environment)
    try:
        site = f"http://127.0.0.1:{port}"
        for _ in range(120):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{site}/healthz", timeout=1)
                break
            time.sleep(0.5)
        yield site
    finally:
        server.terminate()
        server.wait()


def take(browser: Browser, site: str, shot: Shot, path: Path) -> None:
    """Open the page as its role and keep what is in the window."""
    context = browser.new_context(locale=shot.language, viewport={"width": shot.width, "height": shot.height})
    page = context.new_page()
    if shot.role is not None:
        sign_in(page, site, shot.role)
    page.goto(site + shot.path)
    if shot.follow:
        page.locator(shot.follow).first.click()
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")  # a click scrolls to its link, and some of it outlives the way
    page.screenshot(path=path)
    context.close()


def sign_in(page: Page, site: str, role: Role) -> None:
    page.goto(f"{site}/sign-in")
    page.fill("input[name=email]", email_of(role, 0))
    page.fill("input[name=password]", DEMO_PASSWORD)
    page.click("main button[type=submit]")


if __name__ == "__main__":
    main()
