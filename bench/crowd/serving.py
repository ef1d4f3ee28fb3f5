"""The site as it is deployed, under gunicorn, and the requests its buyers send."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import uuid4

from crowd import load, market

STARTS_WITHIN = 30.0


@dataclass(frozen=True)
class Site:
    """A running site, and a form's token with the cookie it belongs to."""

    port: int
    cookie: str
    token: str

    def join(self, buyer: int, campaign: int, *, key: str | None = None) -> bytes:
        """One buyer takes one piece, as the checkout's form sends it."""
        fields = {f"pieces.{market.variant_id(campaign)}": "1", "idempotency_key": key or str(uuid4())}
        body = urlencode({"csrf_token": self.token, **fields})
        return self.request("POST", f"/campaigns/{market.campaign_id(campaign)}/join", buyer, body)

    def page(self, buyer: int, campaign: int) -> bytes:
        """A buyer looks at the campaign."""
        return self.request("GET", f"/campaigns/{market.campaign_id(campaign)}", buyer)

    def request(self, method: str, address: str, buyer: int, body: str = "") -> bytes:
        """A request of somebody who is signed in."""
        lines = [
            f"{method} {address} HTTP/1.1",
            f"Host: {load.LOOPBACK}:{self.port}",
            f"Cookie: c2m_form={self.cookie}; c2m_sign_in={market.sign_in_token(buyer)}",
        ]
        if body:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@contextmanager
def site(database_url: str, *, workers: int, job_threads: int = 0) -> Iterator[Site]:
    """`c2m serve` on a free port, ended with the block.

    Raises:
        RuntimeError: it did not come up.
    """
    with socket.socket() as probe:
        probe.bind((load.LOOPBACK, 0))
        port = probe.getsockname()[1]
    settings = {
        "C2M_DATABASE_URL": database_url,
        "C2M_DEMO": "1",
        "C2M_JOB_THREADS": str(job_threads),
        "C2M_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "c2m", "serve", "--port", str(port), "--workers", str(workers)]
    running = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    try:
        yield _opened(port)
    finally:
        running.terminate()
        running.wait(60)


def _opened(port: int) -> Site:
    ask = f"GET /sign-in HTTP/1.1\r\nHost: {load.LOOPBACK}:{port}\r\n\r\n".encode()
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        status, answer = load.ask_once(port, ask)
        page = answer.decode()
        cookie = re.search(r"Set-Cookie: c2m_form=([^;]+)", page)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        if status == 200 and cookie and token:
            return Site(port, cookie[1], token[1])
        time.sleep(0.2)
    raise RuntimeError("the site did not come up")
