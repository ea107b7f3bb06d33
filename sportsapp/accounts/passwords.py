"""The rules for passwords: one function for ADMIN_PASSWORD, ``flask admin`` and the panel.

``common_words.txt`` holds the words, names, years and runs of keys that the passwords at the top of
every list of leaked ones are made of.
"""

import secrets
from pathlib import Path

from sportsapp.core.errors import AccountError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
FEWEST_OTHERS = 6
COMMON_WORDS = sorted(
    Path(__file__).with_name("common_words.txt").read_text("utf-8").split(), key=len, reverse=True
)


def generate_password() -> str:
    """A random password of 16 characters."""
    return secrets.token_urlsafe(12)


def check_password(password: str, username: str) -> None:
    """Raise AccountError for a password that this account must not have.

    It is too short, too long for the sign-in form, or easy to guess: once the common words and the
    account's name are taken out, fewer than six different characters are left.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(
            f"a password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        )
    others = password.lower()
    for word in (username.lower(), *COMMON_WORDS):
        others = others.replace(word, "")
    if len(set(others)) < FEWEST_OTHERS:
        raise AccountError(
            "a password must not be easy to guess: beside common words and the account's name it "
            f"needs {FEWEST_OTHERS} different characters"
        )
