"""Chromium for rows about what a visitor sees, where Playwright and Chromium are installed."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.running import print_left_out

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def browser_page(row: str, what: str) -> Iterator[Page | None]:
    """A page of a headless Chromium; None, and a line that the row is left out, without one."""
    try:
        browsers = importlib.import_module("playwright.sync_api").sync_playwright()
    except ImportError:
        print_left_out(row, what, "Playwright is not installed")
        yield None
        return
    chromium = shutil.which("chromium")
    if chromium is None:
        print_left_out(row, what, "chromium is not installed")
        yield None
        return
    with browsers as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page()
        browser.close()
