"""Replacing services of an app."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask

from sportsapp.services import KEY, services_of


def replace_services(app: Flask, **parts: Any) -> None:
    """Replace fields of the app's ``Services``."""
    app.extensions[KEY] = replace(services_of(app), **parts)
