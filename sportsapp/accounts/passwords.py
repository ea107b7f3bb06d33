"""The rules for passwords: one function for ADMIN_PASSWORD, ``flask admin`` and the panel; hashes.

``common_words.txt`` holds the words, names, years and runs of keys that the passwords at the top of
every list of leaked ones are made of.
"""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import BoundedSemaphore

from werkzeug.security import check_password_hash, generate_password_hash

from sportsapp.core.errors import AccountError, PasswordsBusyError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
FEWEST_OTHERS = 6
AT_ONCE, WAITING, WAIT_SECONDS = 2, 1, 1.0
"""Hashes that a process computes at once, and how many more may wait for one to end."""
COMMON_WORDS = sorted(
    Path(__file__).with_name("common_words.txt").read_text("utf-8").split(), key=len, reverse=True
)


def generate_password() -> str:
    """A random password of 128 bits, in 22 characters."""
    return secrets.token_urlsafe(16)


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


def hash_password(password: str) -> str:
    """A salted hash, slow on purpose. Raises PasswordsBusyError."""
    with _taken(_places), _taken(_turns, WAIT_SECONDS):
        return generate_password_hash(password)


def is_password(password_hash: str, password: str) -> bool:
    """Whether this is the hash of the password. Raises PasswordsBusyError."""
    with _taken(_places), _taken(_turns, WAIT_SECONDS):
        return check_password_hash(password_hash, password)


def place_of_a_stranger() -> AbstractContextManager[None]:
    """Around what somebody unknown has hashed: one place stays free for admins.

    Raises PasswordsBusyError.
    """
    return _taken(_strangers)


_places, _turns = BoundedSemaphore(AT_ONCE + WAITING), BoundedSemaphore(AT_ONCE)
_strangers = BoundedSemaphore(AT_ONCE + WAITING - 1)


@contextmanager
def _taken(places: BoundedSemaphore, seconds: float = 0) -> Iterator[None]:
    """Hold one of the places; a web server's other threads stay free for pages."""
    if not places.acquire(timeout=seconds):
        raise PasswordsBusyError("too many passwords are being checked: try again in a second")
    try:
        yield
    finally:
        places.release()
