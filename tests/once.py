"""What two thousand apps would compile again is compiled once; passwords are hashed cheaply."""

from __future__ import annotations

from functools import partial

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.datastructures import ImmutableDict
from werkzeug.security import generate_password_hash

from sportsapp.accounts import passwords


class CompiledPages(BytecodeCache):
    """Compiled templates, by their name and source."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the template, if it was compiled before."""
        if (known := self._known.get(bucket.key)) is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was compiled."""
        self._known[bucket.key] = bucket.bytecode_to_string()


def compile_once() -> None:
    """Let all apps of this process share compiled templates."""
    Flask.jinja_options = ImmutableDict(bytecode_cache=CompiledPages())


def hash_cheaply() -> None:
    """Passwords are hashed with scrypt, as they are, but in a hundredth of the time."""
    passwords.generate_password_hash = partial(generate_password_hash, method="scrypt:128:8:1")
