"""Limits are counted on a real broker, for all web processes together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from flask import Flask

from sportsapp.accounts.accounts import add_account
from sportsapp.admin.signin import PER_ACCOUNT
from tests.acceptance.conftest import RealBroker, app_on
from tests.panel import NAME, PASSWORD, PanelVisitor

API = "/api/v1/leagues"
ATTEMPTS = PER_ACCOUNT + 1  # the next one is delayed


@pytest.fixture
def two(real_settings, broker) -> Iterator[list[Flask]]:
    """Two web processes of one instance, as far as they can tell."""
    settings = replace(real_settings, api_requests_per_minute=6)
    with ExitStack() as stack:
        yield [stack.enter_context(app_on(settings)) for _ in range(2)]


def statuses(apps: list[Flask], times: int) -> list[int]:
    return [app.test_client().get(API).status_code for _ in range(times) for app in apps]


def test_two_web_processes_count_together(two):
    assert statuses(two, 3) == [200] * 6
    assert statuses(two, 1) == [429] * 2


def test_sign_in_is_limited_over_all_web_processes(two):
    with two[0].app_context():
        add_account(NAME, PASSWORD)
    visitors = [PanelVisitor(app.test_client()) for app in two]
    answers = [visitors[n % 2].sign_in(password="wrong") for n in range(ATTEMPTS)]
    assert [one.status_code for one in answers] == [401] * ATTEMPTS
    assert [one.sign_in().status_code for one in visitors] == [429] * 2


def test_counting_goes_on_in_memory_while_the_broker_is_away(two, broker: RealBroker):
    broker.kill()
    assert statuses(two[:1], 6) == [200] * 6
    assert statuses(two[:1], 1) == [429]
