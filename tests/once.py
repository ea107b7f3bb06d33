"""What two thousand apps would make again is made once a process: pages, routes, statements.

What is compiled of them does not depend on the app. And a password's hash costs next to nothing.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.util import LRUCache
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
    _compile_rules_once()
    _compile_statements_once()


def _compile_rules_once() -> None:
    compile_rule = Rule.compile
    known: dict[object, dict[str, Any]] = {}

    def compile_rule_once(rule: Rule) -> None:
        of_map = rule.map.host_matching, *rule.map.converters.values()
        of_rule = rule.host, rule.subdomain, rule.merge_slashes, rule.strict_slashes
        key = rule.rule, repr(rule.defaults), *of_rule, *of_map
        if key not in known:
            compile_rule(rule)
            names = "_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown"
            known[key] = {name: getattr(rule, name) for name in names}
        compiled = dict(known[key])
        for name in ("_build", "_build_unknown"):
            compiled[name] = compiled[name].__func__.__get__(rule)
        vars(rule).update(compiled, arguments=set(compiled["arguments"]))

    Rule.compile = compile_rule_once


def _compile_statements_once() -> None:
    """SQLite's engines share compiled statements, since their dialects are all alike."""
    statements: LRUCache[Any, Any] = LRUCache(5_000)

    @event.listens_for(Engine, "engine_connect")
    def share_statements(connection: Connection) -> None:
        if isinstance(connection.dialect, SQLiteDialect):
            connection.engine._compiled_cache = statements

    # a statement is found by its dialect, among other things
    SQLiteDialect.__eq__ = lambda self, other: type(self) is type(other)
    SQLiteDialect.__hash__ = lambda self: hash(type(self))


def hash_cheaply() -> None:
    """Passwords are hashed with scrypt, as they are, but in a hundredth of the time."""
    passwords.generate_password_hash = partial(generate_password_hash, method="scrypt:128:8:1")
