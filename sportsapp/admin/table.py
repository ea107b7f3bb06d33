"""Read-only tables with filters, search, sorting, details and export.

Filters are plain names in the address (``?state=FAILURE&league=nba``), so that any page can
link to a narrowed table and the form works without a script. What is not valid is ignored.
A list costs three queries: how many there are, the ids of the page, and their rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm as Form
from flask_admin.model.base import ViewArgs
from sqlalchemy import ColumnElement, Integer, Select, func, inspect, or_, select

from sportsapp.admin import words
from sportsapp.admin.view import Panel
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.leagues import League
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.db.types import Base

LONGEST_SEARCH = 100
LAST_PAGE = 10_000
EXPORT_ROWS = 10_000
IDS_AT_ONCE = 1_000

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Choice:
    """One filter: its name in the address, its label, what may be chosen, and what that means.

    ``options`` gives values with their labels; None asks for a day. ``condition`` returns None
    for a value that it does not know.
    """

    name: str
    label: str
    condition: Callable[[str], Condition | None]
    options: Callable[[], Sequence[tuple[str, str]]] | None = None


class Table(Panel, ModelView):  # type: ignore[misc]  # Flask-Admin has no types
    """A table that shows and changes nothing."""

    can_create = can_edit = can_delete = False
    can_view_details = True
    can_export = True
    export_types = ("csv", "json")
    export_max_rows = EXPORT_ROWS
    page_size = 50
    list_template = "admin/table.html"
    details_template = "admin/record.html"
    column_display_actions = False

    of: type[Base]
    title = ""
    address = ""
    choices: Sequence[Choice] = ()
    searched: Sequence[Any] = ()
    search_label = ""
    newest_first: Sequence[Any] = ()
    loads: Sequence[Any] = ()
    sorts: dict[str, Any] = {}

    column_type_formatters = column_type_formatters_detail = {
        type(None): lambda _view, _value, _name: words.moment(None),
        bool: lambda _view, value, _name: "yes" if value else "no",
        datetime: lambda _view, value, _name: words.moment(value),
        dict: lambda _view, value, _name: words.block(value),
        list: lambda _view, value, _name: words.block(value),
    }

    def __init__(self) -> None:
        self.column_sortable_list = list(self.sorts)
        names = {"endpoint": f"admin_{self.address}", "url": self.address}
        super().__init__(self.of, db, name=self.title, **names)

    def scaffold_form(self) -> Any:
        """No form: nothing can be changed here."""
        return Form

    # -- what the visitor asks for

    def chosen(self) -> dict[str, str]:
        """The filters in the address that mean something."""
        asked = {one.name: request.args.get(one.name, "").strip() for one in self.choices}
        known = {one.name: one for one in self.choices}
        return {
            name: value
            for name, value in asked.items()
            if value and known[name].condition(value) is not None
        }

    def wanted(self) -> str:
        """The text that is searched for."""
        return request.args.get("search", "").replace("\x00", "").strip()[:LONGEST_SEARCH]

    def _get_list_extra_args(self) -> ViewArgs:
        """Only names that we know go into the addresses of pages and columns."""
        return ViewArgs(
            page=_between(request.args.get("page", 0, type=int), LAST_PAGE),
            sort=request.args.get("sort", None, type=int),
            sort_desc=1 if request.args.get("desc") == "1" else None,
            search=self.wanted() or None,
            extra_args=self.chosen(),
        )

    def _get_list_url(self, view_args: ViewArgs) -> str:
        address: str = self.get_url(
            ".index_view",
            page=view_args.page or None,
            sort=view_args.sort,
            desc=1 if view_args.sort_desc else None,
            search=view_args.search,
            **view_args.extra_args,
        )
        return address

    # -- reading

    def get_list(
        self,
        page: int | None,
        sort_column: Any,
        sort_desc: Any,
        search: str | None,
        _filters: Any,
        execute: bool = True,  # noqa: ARG002 - Flask-Admin's signature
        page_size: int | None = None,
    ) -> tuple[int, list[Any]]:
        """The rows of a page, and how many there are in all."""
        found = self._filtered()
        size = page_size or self.page_size
        ordered = self._ordered(found, str(sort_column or ""), bool(sort_desc))
        ids = ordered.with_only_columns(self._key()).limit(size).offset((page or 0) * size)
        if search:  # what matches is looked for once: the number comes with the ids
            ids = self.search(ids, search).add_columns(func.count().over())
            hits = db.session.execute(ids).all()
            return (hits[0][1] if hits else 0), self._rows([hit[0] for hit in hits])
        # without a condition nothing else would say which table is counted
        count = found.with_only_columns(func.count(), maintain_column_froms=True)
        return db.session.scalar(count) or 0, self._rows(db.session.scalars(ids).all())

    def _filtered(self) -> Select[Any]:
        found = select(self.model)
        chosen = self.chosen()
        for one in self.choices:
            condition = one.condition(chosen[one.name]) if one.name in chosen else None
            if condition is not None:
                found = found.where(condition)
        return found

    def _rows(self, ids: Sequence[Any]) -> list[Any]:
        """The rows of these ids, in their order: sorting ids alone keeps heavy columns out."""
        rows: dict[Any, Any] = {}
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = self._key().in_(ids[start : start + IDS_AT_ONCE])
            found = select(self.model).where(some).options(*self.loads)
            rows |= {getattr(row, self._key().name): row for row in db.session.scalars(found)}
        return [rows[key] for key in ids if key in rows]

    def _key(self) -> Any:
        (column,) = inspect(self.model).primary_key
        return column

    def search(self, found: Select[Any], text: str) -> Select[Any]:
        """Rows that have the text in one of the searched columns; its signs mean themselves."""
        return found.where(or_(*(one.icontains(text, autoescape=True) for one in self.searched)))

    def init_search(self) -> bool:
        return bool(self.searched)

    def _ordered(self, found: Select[Any], name: str, descends: bool) -> Select[Any]:
        if name not in self.sorts:
            return found.order_by(*self.newest_first)
        columns = self.sorts[name] if isinstance(self.sorts[name], tuple) else (self.sorts[name],)
        keys = (*columns, self._key())
        return found.order_by(*((key.desc() if descends else key.asc()) for key in keys))

    def get_one(self, id: Any) -> Any:
        """The row of this id; 404 for none, so that a pruned run says so."""
        key = self._key()
        if isinstance(key.type, Integer):
            id = int(id) if str(id).isdecimal() and len(str(id)) < 10 else -1
        found = select(self.model).where(key == str(id) if isinstance(id, str) else key == id)
        row = db.session.scalar(found.options(*self.loads))
        return row if row is not None else abort(404, "There is no such row (any more).")

    # -- showing

    def render(self, template: str, **kwargs: Any) -> str:
        exports = {**self.chosen(), **({"search": self.wanted()} if self.wanted() else {})}
        return super().render(
            template, chosen=self.chosen(), exports=exports, wanted=self.wanted(), **kwargs
        )

    def get_export_columns(self) -> list[tuple[str, str]]:
        """Columns keep their own names, in CSV as in JSON."""
        return [(name, name) for name, _ in super().get_export_columns()]

    def get_export_value(self, model: Any, name: Any) -> Any:
        """A value as a spreadsheet may have it."""
        return words.harmless(_plain(self.exported(model, name)))

    def exported(self, model: Any, name: str) -> Any:
        """A column's value, for any export; a team or a league by its name."""
        value = getattr(model, name)
        if isinstance(value, Team):
            return value.display_name
        return value.slug if isinstance(value, League) else value

    def _export_tablib(self, _export_type: str, _return_url: str) -> ResponseReturnValue:
        """JSON, with the values as they are."""
        _, rows = self._export_data()
        names = [name for name, _ in self._export_columns]
        data = [{name: _jsonable(self.exported(row, name)) for name in names} for row in rows]
        disposition = f"attachment; filename={self.get_export_name('json')}"
        body = json.dumps(data, ensure_ascii=False, indent=1)
        return Response(
            body, mimetype="application/json", headers={"Content-Disposition": disposition}
        )

    def get_export_name(self, export_type: str = "csv") -> str:
        return f"{self.endpoint.removeprefix('admin_')}-{utc_now():%Y%m%d-%H%M%S}.{export_type}"


def _between(page: int | None, last: int) -> int:
    return min(max(page or 0, 0), last)


def _jsonable(value: Any) -> Any:
    if hasattr(value, "astimezone"):
        return iso_utc(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _plain(value: Any) -> Any:
    """A value as one cell."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else _jsonable(value)
