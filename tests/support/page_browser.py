"""The page in a real browser, with its controls by the names that the page gives them."""

import importlib.resources
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

_BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_DRIVER = shutil.which("chromedriver")
_PATIENCE_S = 60.0

needs_browser = pytest.mark.skipif(
    _BROWSER is None or _DRIVER is None,
    reason="Chromium or chromedriver is missing; .ci/packages installs them",
)


def start_browser() -> webdriver.Chrome:
    """Start it without a window; its own requests to its maker are off."""
    options = Options()
    options.binary_location = str(_BROWSER)
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    for flag in (*flags, "--window-size=1280,1600", "--lang=en"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(str(_DRIVER)))


def assert_fits(browser: webdriver.Chrome, page: Path, width_px: int) -> None:
    """Check that a page is not wider than a screen; screens of phones too."""
    metrics = {"width": width_px, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.resolve().as_uri())
    wide = browser.execute_script(
        "return [...document.querySelectorAll('body *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".filter(e => !e.closest('.scroll, pre'))"
        ".map(e => e.outerHTML.slice(0, 200))"
    )
    assert wide == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width_px


def assert_accessible(browser: webdriver.Chrome, page: Path, *, is_dark: bool) -> None:
    """Let axe look for what keeps people from reading a page, such as faint text."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get(page.resolve().as_uri())
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") != is_dark
    checker = importlib.resources.files("axe_core_python") / "axe.min.js"
    browser.execute_script(checker.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run().then(all => done(all.violations.map(one =>"
        " [one.id, one.impact, one.help, one.nodes[0].html, one.nodes[0].failureSummary])))"
    )
    assert found == []


class Page:
    """The page as a person meets it.

    Attributes:
        driver: The browser.
    """

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self._address = address

    def open(self, tab: str = "Design", width_px: int = 1280) -> None:
        """Load the page and go to a tab."""
        self.load(width_px)
        self.go_to(tab)

    def load(self, width_px: int = 1280) -> None:
        """Load the page as it opens."""
        metrics = {"width": width_px, "height": 1600, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(self._address)

    def go_to(self, tab: str) -> None:
        """Open a tab."""

        def is_open() -> bool:
            for button in self.all("button[role=tab]"):
                if button.text == tab and button.is_displayed():
                    button.click()
                    return bool(button.get_attribute("aria-selected") == "true")
            return False

        self.until(is_open)

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements that a selector of CSS finds."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def one(self, selector: str) -> WebElement:
        """Return the first, as soon as there is one."""
        self.until(lambda: bool(self.all(selector)))
        return self.all(selector)[0]

    def text(self, selector: str) -> str:
        """Return the text of an element as it is shown."""
        return str(self.one(selector).text)

    def until(self, condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
        """Wait; an element that is just being drawn anew is asked again."""
        end, problem = time.monotonic() + patience_s, ""
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except WebDriverException as error:
                problem = str(error.msg)
            time.sleep(0.05)
        raise AssertionError(f"the page did not get there in {patience_s:g} s; {problem}")

    def shows(self, selector: str, text: str) -> None:
        """Wait until an element says something."""
        self.until(lambda: text in self.text(selector))

    def write(self, control: str, text: str) -> None:
        """Replace what a field holds."""
        field = self.one(f"#{control} input, #{control} textarea")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)

    def choose(self, control: str, label: str) -> None:
        """Press the choice of a group that has a label."""

        def press() -> bool:
            for choice in self.all(f"#{control} label"):
                if choice.text.strip() == label:
                    choice.click()
                    return bool(choice.find_element(By.TAG_NAME, "input").is_selected())
            return False

        self.until(press)

    def pick(self, control: str, text: str, *, offered: bool = True) -> None:
        """Write into a list that one can choose from, and take what it then offers.

        Args:
            control: Its name.
            text: What to write.
            offered: Wait until the list offers it; a name of one's own it never does.
        """
        self.until(lambda: not self._options())  # another list may be about to close
        field = self.one(f"#{control} input")
        field.click()
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)
        if offered:
            self.until(lambda: self._take(text))
        else:
            field.send_keys(Keys.ENTER)
        self.driver.execute_script("document.activeElement.blur()")  # a list of several stays open

    def _take(self, text: str) -> bool:
        """Press the first option as soon as the open list has none that do not fit."""
        options = self._options()
        fits = bool(options) and all(text in option.text for option in options)
        if fits:
            options[0].click()
        return fits

    def _options(self) -> list[WebElement]:
        """Return what the open list offers."""
        return self.all("[role=option]")

    def press(self, control: str) -> None:
        """Press a button."""

        def pressed() -> bool:
            element = self.one(f"#{control}")
            (element if element.tag_name == "button" else self.one(f"#{control} button")).click()
            return True

        self.until(pressed)

    def tab_through(self, times: int) -> set[str]:
        """Press the tabulator often, and return the texts of the elements that were reached."""
        self.driver.execute_script(
            # gradio gives a choice another name whenever it draws it again
            "window.reached = new Set(); window.label = element => element.closest('[id]')?.id +"
            "element.outerHTML.replace(/ name=.radio-[0-9]+./, '');"
            "addEventListener('focusin', event => reached.add(label(event.target)))"
        )
        ActionChains(self.driver).send_keys(Keys.TAB * times).perform()
        return set(self.driver.execute_script("return [...reached]"))

    def nameless(self) -> list[str]:
        """Return the roles of controls that assistive software could not tell a name of."""
        # the list that a combo box opens goes by the name of its box
        roles = ("textbox", "spinbutton", "radio", "checkbox", "combobox", "button")
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            str(node)
            for node in tree
            if node.get("role", {}).get("value") in (*roles, "link", "Iframe")
            and not node["ignored"]
            and not node.get("name", {}).get("value")
        ]

    def requested_hosts(self) -> set[str]:
        """Return the hosts that were asked for anything since the last call."""
        hosts = set()
        for entry in self.driver.get_log("performance"):
            message: dict[str, Any] = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parts = urlsplit(message["params"]["request"]["url"])
                if parts.scheme not in ("data", "blob", "chrome", "about"):
                    hosts.add(parts.hostname or parts.scheme)
        return hosts
