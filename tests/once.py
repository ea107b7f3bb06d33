"""What two thousand apps would make again is made once a process: compiled pages and routes.

They depend on templates and rules alone. And a password's hash costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.datastructures import ImmutableDict
from werkzeug.routing import Rule
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
    """Let all apps of this process share what they compile."""
    Flask.jinja_options = ImmutableDict(bytecode_cache=CompiledPages())
    compile_rule = Rule._compile_builder
    known: dict[object, Callable[..., Any]] = {}

    def compile_rule_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        key = rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown
        if key not in known:
            known[key] = compile_rule(rule, append_unknown)
        return known[key]

    Rule._compile_builder = compile_rule_once


def hash_cheaply() -> None:
    """Passwords are hashed with scrypt, as they are, but in a hundredth of the time."""
    passwords.generate_password_hash = partial(generate_password_hash, method="scrypt:128:8:1")
