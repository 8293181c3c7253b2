"""A headless chromium that says what it asked for and what it complained of."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DEADLINE_S = 60.0
PAUSE_S = 0.05
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1200",
)
SETTLED = """
const main = document.getElementById("main");
return Boolean(main) && !document.querySelector(".dy-loading") &&
    !document.querySelector("[data-dash-is-loading]");
"""


class Browser:
    """One browser with a profile of its own; `open` waits until a page has its answers."""

    def __init__(self, base_url: str, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.base_url = base_url
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

    def prefer(self, scheme: str) -> None:
        """The system's colour scheme: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, path: str) -> None:
        self.driver.get(self.base_url + path)
        self.settle()

    def settle(self) -> None:
        self.until(lambda: self.run(SETTLED), "the page to have its answers")

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Poll until `holds` gives something true, and give it."""
        end = time.monotonic() + DEADLINE_S
        while not (value := holds()):
            assert time.monotonic() < end, f"waited {DEADLINE_S:g} s for {what}:\n{self.text()}"
            time.sleep(PAUSE_S)
        return value

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def all(self, selector: str) -> list[str]:
        """The text of every element that a selector finds."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return [str(one) for one in self.run(script, selector)]

    def complaints(self) -> list[str]:
        """What the console holds of errors and warnings since last asked."""
        return [
            f"{entry['level']}: {entry['message']}"
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    def hosts_asked(self) -> set[str]:
        """Hosts that pages sent requests to since last asked; the browser's own pages apart."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        urls = [
            urlsplit(message["params"]["request"]["url"])
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return {url.netloc for url in urls if url.scheme in ("http", "https", "ws", "wss")}

    def close(self) -> None:
        self.driver.quit()
