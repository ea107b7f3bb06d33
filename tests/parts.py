"""Other parts for an app that has been made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask

from sportsapp.services import KEY, services_of


def replace_services(app: Flask, **parts: Any) -> None:
    """Put these parts in the places of those that the factory joined."""
    app.extensions[KEY] = replace(services_of(app), **parts)
