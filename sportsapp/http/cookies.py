"""Cookies in which a visitor's browser keeps something for a year. No script can read them."""

from flask import request
from werkzeug.wrappers import Response

YEAR_SECONDS = 365 * 24 * 3600


def keep(answer: Response, name: str, value: str) -> None:
    """Set a cookie, or set it again for another year."""
    secure = request.is_secure
    answer.set_cookie(
        name, value, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
    )


def drop(answer: Response, name: str) -> None:
    """Delete it."""
    answer.delete_cookie(name, httponly=True, samesite="Lax", secure=request.is_secure)
