"""Read-only tables with filters, search, sorting, pages, details and export.

Everything that a visitor chooses is in the address (``?state=FAILURE&league=nba``), under plain
names, so that any page can link to a filtered table and the form needs no script. Invalid
values are ignored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, abort, request, url_for
from flask_admin import expose
from sqlalchemy import ColumnElement, Integer, Select, func, inspect, or_, select

from sportsapp.admin import formatting
from sportsapp.admin.exports import file_response
from sportsapp.admin.view import PanelView, row_number
from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.services import services

LONGEST_SEARCH = 100
LAST_PAGE = 10_000
PAGE_SIZE = 50
EXPORTED_AT_ONCE = 500

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Filter:
    """One filter: its name in the address, its label, the condition of a value, the values.

    ``condition`` returns None for an invalid value. ``options`` returns the values with their
    labels, and ``blank`` is the label of no choice, empty where one has to be chosen; without
    options the filter is an input of this ``kind``, with an ``example``. One that is ``hidden``
    comes with links only.
    """

    name: str
    label: str
    condition: Callable[[str], Condition | None]
    options: Callable[[], Sequence[tuple[str, str]]] | None = None
    hidden: bool = False
    blank: str = "all"
    kind: str = "date"
    example: str = ""


def choice(name: str, label: str, conditions: Mapping[str, Condition]) -> Filter:
    """A filter by one of these values, each with its condition."""
    return Filter(name, label, conditions.get, lambda: [(value, value) for value in conditions])


def league_filter(in_league: Callable[[str], Condition]) -> Filter:
    """A filter by a followed league; ``in_league`` makes the condition of a slug."""
    return Filter(
        "league",
        "League",
        lambda slug: in_league(slug) if slug in BY_SLUG else None,
        lambda: [(slug, slug.upper()) for slug in services().settings.leagues],
    )


def day_filter(label: str, on_day: Callable[[date], Condition]) -> Filter:
    """A filter by a day; ``on_day`` makes its condition."""

    def condition(text: str) -> Condition | None:
        try:
            return on_day(parse_day(text, utc_now()))
        except DateRangeError:
            return None

    return Filter("day", label, condition)


def counted(rows: Select[Any]) -> Select[int]:
    """How many rows these are."""
    # Without a condition, only maintain_column_froms keeps the table in the FROM clause.
    return rows.with_only_columns(func.count(), maintain_column_froms=True)


@dataclass(frozen=True)
class TableQuery:
    """What an address selects: valid filters, search text, column to sort by, page from 0 on.

    ``conditions`` are what the filters mean. ``sort`` is the name of a column; None is the
    table's default order.
    """

    filters: Mapping[str, str]
    conditions: Sequence[Condition]
    search: str
    sort: str | None
    descending: bool
    page: int

    def url(self, view: str = ".index_view", **changes: Any) -> str:
        """The address of this query with these changes; a value of None is left out."""
        address = {
            "page": self.page or None,
            "sort": self.sort,
            "desc": 1 if self.descending else None,
            "search": self.search or None,
            **self.filters,
        }
        return url_for(view, **(address | changes))


class TableView(PanelView):
    """A table of one model, whose primary key is ``id``. Subclasses describe it:

    ``columns``, ``record_columns`` and ``export_columns`` are names of attributes, or of
    ``formatters``, which get a row and return what a page shows; exports have attributes only.
    ``sorts`` are the columns that can be sorted by, with what the database sorts by.
    The list unfolds its filters when one is set that is not among the ``quick_filters``, which
    the page shows or links elsewhere. ``searched`` are SQL expressions, one of which has to
    contain the text of a search. ``loads`` are loader options for the rows that are shown.
    """

    model: Any
    list_template = "admin/table.html"
    record_template = "admin/record.html"
    table_class = "stack"

    columns: Sequence[str] = ()
    labels: Mapping[str, str] = {}
    formatters: Mapping[str, Callable[[Any], object]] = {}
    record_columns: Sequence[str] = ()
    export_columns: Sequence[str] = ()
    default_order: Sequence[Any] = ()
    sorts: Mapping[str, Sequence[Any]] = {}
    filters: Sequence[Filter] = ()
    quick_filters: Sequence[str] = ()
    searched: Sequence[Any] = ()
    search_label = ""
    loads: Sequence[Any] = ()

    # -- pages

    @expose("/")
    def index_view(self) -> str:
        """One page of the list."""
        query = self.query()
        count, rows = self._read(query, PAGE_SIZE, offset=query.page * PAGE_SIZE)
        return self.render(
            self.list_template,
            query=query,
            count=count,
            rows=rows,
            page_count=-(-count // PAGE_SIZE),
            longest_search=LONGEST_SEARCH,
        )

    @expose("/details/")
    def details_view(self, **values: Any) -> str:
        """One row with all its columns; 404 if there is no such row. Templates get the values."""
        text = request.args.get("id", "")
        row_id = row_number(text) if isinstance(self.model.id.type, Integer) else text
        row = db.session.get(self.model, row_id, options=self.loads)
        if row is None:
            abort(404, "This row does not exist, or has been deleted.")
        columns = self.record_columns or [
            column.key
            for column in inspect(self.model).columns
            if not column.primary_key and not column.foreign_keys
        ]
        return self.render(self.record_template, row=row, columns=columns, **values)

    @expose("/export/<any(csv, json):export_type>/")
    def export(self, export_type: str) -> Response:
        """All rows of a list as a file; columns have the names of their attributes."""
        query = self.query()
        selected = self.matching(query).order_by(*self._order(query)).options(*self.loads)
        names = self.export_columns or self.columns
        filename = f"{self.address}-{utc_now():%Y%m%d-%H%M%S}.{export_type}"
        parts = {"yield_per": EXPORTED_AT_ONCE}
        with db.session.scalars(selected, execution_options=parts) as rows:
            values = ([formatting.json_value(getattr(row, name)) for name in names] for row in rows)
            return file_response(export_type, filename, names, values)

    def label(self, name: str) -> str:
        """A column's heading: from ``labels``, or its name in words."""
        words = name.removesuffix("_at").replace("_", " ")
        return self.labels.get(name, words.capitalize())

    def shown(self, row: Any, name: str) -> Any:
        """A column's value as a page shows it."""
        formatter = self.formatters.get(name)
        return formatting.cell(formatter(row) if formatter else getattr(row, name))

    # -- reading

    def search(self, rows: Select[Any], text: str) -> Select[Any]:
        """Only the rows with this text in a searched column, in any case."""
        return rows.where(
            or_(*(column.icontains(text, autoescape=True) for column in self.searched))
        )

    def query(self) -> TableQuery:
        """The query in the request's address, without what is invalid."""
        filters, conditions = {}, []
        for table_filter in self.filters:
            value = request.args.get(table_filter.name, "").strip()
            condition = table_filter.condition(value) if value else None
            if condition is not None:
                filters[table_filter.name] = value
                conditions.append(condition)
        sort = request.args.get("sort", "")
        return TableQuery(
            filters=filters,
            conditions=conditions,
            search=request.args.get("search", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            sort=sort if sort in self.sorts else None,
            descending=request.args.get("desc") == "1",
            page=min(max(request.args.get("page", 0, type=int), 0), LAST_PAGE),
        )

    def matching(self, query: TableQuery) -> Select[Any]:
        """The rows that the query selects, in no order."""
        matching = select(self.model).where(*query.conditions)
        return self.search(matching, query.search) if query.search else matching

    def _order(self, query: TableQuery) -> list[Any]:
        if query.sort is None:
            return list(self.default_order)
        sorted_by = [*self.sorts[query.sort], self.model.id]
        return [by.desc() if query.descending else by.asc() for by in sorted_by]

    def _read(self, query: TableQuery, limit: int, offset: int = 0) -> tuple[int, list[Any]]:
        """How many rows the query selects, and those of one page, in order."""
        matching, order = self.matching(query), self._order(query)
        count = db.session.scalar(counted(matching)) or 0
        # The ids first, so that the database need not sort long texts and JSON.
        page = matching.with_only_columns(self.model.id).order_by(*order)
        ids = db.session.scalars(page.limit(limit).offset(offset)).all()
        rows = select(self.model).where(self.model.id.in_(ids)).order_by(*order)
        return count, list(db.session.scalars(rows.options(*self.loads)))
