"""Notifications: the subscriptions, whether their targets take what they are sent; add, change."""

from flask import current_app, request
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action
from sportsapp.core.errors import SubscriptionError
from sportsapp.db.engine import db
from sportsapp.notify import subscriptions
from sportsapp.notify.browsers import count_browsers
from sportsapp.notify.choices import CHOICES, LONGEST_DELAY, USUAL
from sportsapp.notify.message import Message
from sportsapp.services import services
from sportsapp.tasks.notifications import send


class NotificationsView(PanelView):
    """At /admin/notifications/."""

    title, address = "Notifications", "notifications"

    @expose("/")
    def index(self) -> str:
        """All subscriptions, without their addresses, and a form to add one."""
        rows = subscriptions.all_subscriptions(db.session)
        return self.render(
            "admin/notifications.html",
            subscriptions=[(row, subscriptions.told_of(db.session, row)) for row in rows],
            browsers=count_browsers(db.session),
            most_browsers=services().settings.push_browsers,
            leagues=services().leagues,
            choices=list(CHOICES),
            usual=USUAL,
            longest_name=subscriptions.LONGEST_NAME,
            longest_delay=LONGEST_DELAY,
        )

    @form_action("/add", "name")
    def add(self, name: str) -> str:
        """Add a subscription."""
        form = request.form
        delay = form.get("delay", "").strip() or "0"
        if not delay.isdecimal():
            raise SubscriptionError(f"a delay has 0 to {LONGEST_DELAY} seconds")
        wish = subscriptions.Wish(
            name=name,
            address=form.get("address", "").strip(),
            leagues=form.getlist("league"),
            teams=[team.strip() for team in form.get("teams", "").split(",") if team.strip()],
            events=form.getlist("event"),
            hides_scores="hides_scores" in form,
            quiet=form.get("quiet", "").strip(),
            zone=form.get("zone", "").strip() or "UTC",
            delay_seconds=int(delay[:9]),
        )
        slugs = services().settings.leagues
        secret_key = str(current_app.secret_key)
        row = subscriptions.add_subscription(db.session, wish, slugs, secret_key)
        return f"{row.name} is told {', '.join(row.events)} by {row.kind}"

    @form_action("/test", "name")
    def test(self, name: str) -> str:
        """Send a test message, here and now."""
        row = subscriptions.named(db.session, name)
        kind = row.kind
        send(row, Message("Sports Game Tracker", f"A test, sent by {current_admin()}"))
        return f"{name}: {kind} took the message"

    @form_action("/pause", "name")
    def pause(self, name: str) -> str:
        """Send nothing until it is resumed."""
        row = subscriptions.named(db.session, name)
        subscriptions.pause(db.session, row, paused=True)
        return f"{name} is paused"

    @form_action("/resume", "name")
    def resume(self, name: str) -> str:
        """Tell what happens from now on."""
        row = subscriptions.named(db.session, name)
        subscriptions.pause(db.session, row, paused=False)
        return f"{name} is resumed"

    @form_action("/remove", "name")
    def remove(self, name: str) -> str:
        """Delete a subscription, with its address."""
        row = subscriptions.named(db.session, name)
        self.confirm(f"Remove {name}? Its address is deleted with it.", "Remove")
        subscriptions.remove(db.session, row.id)
        return f"{name} is removed"
