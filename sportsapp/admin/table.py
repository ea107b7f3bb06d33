"""Read-only tables with filters, search, sorting, pages, details and export.

Everything that a visitor chooses is in the address (``?state=FAILURE&league=nba``), under plain
names, so that any page can link to a filtered table and the form needs no script. Invalid
values are ignored. A list costs three queries: the count, the ids of the page, and their rows.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, abort, request, url_for
from flask_admin import expose
from sqlalchemy import ColumnElement, Integer, Select, func, inspect, or_, select

from sportsapp.admin import formatting
from sportsapp.admin.view import PanelView
from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import League
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.services import services

LONGEST_SEARCH = 100
LAST_PAGE = 10_000
PAGE_SIZE = 50
IDS_PER_QUERY = 1_000
MIMETYPES = {"csv": "text/csv", "json": "application/json"}

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Filter:
    """One filter: its name in the address, its label, the condition of a value, the values.

    ``condition`` returns None for an invalid value. ``options`` returns the values with their
    labels; without it the filter is a day.
    """

    name: str
    label: str
    condition: Callable[[str], Condition | None]
    options: Callable[[], Sequence[tuple[str, str]]] | None = None


@dataclass(frozen=True)
class TableQuery:
    """What an address selects: valid filters, search text, column to sort by, page from 0 on.

    ``conditions`` are what the filters mean. ``sort`` is the place of the column in the list;
    None is the table's default order.
    """

    filters: Mapping[str, str]
    conditions: Sequence[Condition]
    search: str
    sort: int | None
    descending: bool
    page: int

    def url(self, view: str = "index_view", **values: Any) -> str:
        """The address of this query at another view of the same table."""
        address = {
            "page": self.page or None,
            "sort": self.sort,
            "desc": 1 if self.descending else None,
            "search": self.search or None,
        }
        return url_for(f".{view}", **{**address, **self.filters, **values})

    def page_url(self, page: int) -> str:
        """The same rows, another page."""
        return replace(self, page=page).url()

    def sort_url(self, sort: int) -> str:
        """The same rows sorted by this column; descending if they are sorted by it already."""
        descending = self.sort == sort and not self.descending
        return replace(self, sort=sort, descending=descending).url()

    def export_url(self, export_type: str) -> str:
        """All pages of the same rows as a file."""
        return replace(self, page=0).url("export", export_type=export_type)


class TableView(PanelView):
    """A table of one model, whose primary key is ``id``. Subclasses describe it:

    ``columns``, ``record_columns`` and ``export_columns`` are names of attributes, or of
    ``formatters``, which get a row and return what a page shows; exports have attributes only.
    ``sorts`` are the columns that can be sorted by, with what the database sorts by.
    ``searched`` are SQL expressions; ``loads`` are loader options for the rows that are shown.
    """

    model: Any
    title = ""
    address = ""
    list_template = "admin/table.html"
    record_template = "admin/record.html"
    export_max_rows = 10_000

    columns: Sequence[str] = ()
    labels: Mapping[str, str] = {}
    formatters: Mapping[str, Callable[[Any], object]] = {}
    record_columns: Sequence[str] = ()
    export_columns: Sequence[str] = ()
    default_order: Sequence[Any] = ()
    sorts: Mapping[str, Sequence[Any]] = {}
    filters: Sequence[Filter] = ()
    searched: Sequence[Any] = ()
    search_label = ""
    loads: Sequence[Any] = ()

    def __init__(self) -> None:
        super().__init__(name=self.title, endpoint=f"admin_{self.address}", url=self.address)

    # -- pages

    @expose("/")
    def index_view(self) -> str:
        """One page of the list."""
        query = self._query()
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
    def details_view(self) -> str:
        """One row with all its columns; 404 if there is no such row."""
        row_id: Any = request.args.get("id", "")
        if isinstance(self.model.id.type, Integer):
            row_id = int(row_id) if row_id.isdecimal() and len(row_id) < 10 else -1
        row = db.session.scalar(
            select(self.model).where(self.model.id == row_id).options(*self.loads)
        )
        if row is None:
            abort(404, "This row does not exist, or has been deleted.")
        columns = self.record_columns or [
            column.key
            for column in inspect(self.model).columns
            if not column.primary_key and not column.foreign_keys
        ]
        return self.render(self.record_template, row=row, columns=columns)

    @expose("/export/<any(csv, json):export_type>/")
    def export(self, export_type: str) -> Response:
        """The rows of a list as a file; columns have the names of their attributes."""
        _, rows = self._read(self._query(), self.export_max_rows)
        names = self.export_columns or self.columns
        values = [[_exported(getattr(row, name)) for name in names] for row in rows]
        if export_type == "json":
            records = [
                {name: formatting.json_value(value) for name, value in zip(names, row, strict=True)}
                for row in values
            ]
            body = json.dumps(records, ensure_ascii=False, indent=1)
        else:
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(names)
            writer.writerows([formatting.csv_value(value) for value in row] for row in values)
            body = text.getvalue()
        filename = f"{self.address}-{utc_now():%Y%m%d-%H%M%S}.{export_type}"
        disposition = {"Content-Disposition": f"attachment; filename={filename}"}
        return Response(body, mimetype=MIMETYPES[export_type], headers=disposition)

    def label(self, name: str) -> str:
        """A column's heading: from ``labels``, or its name in words, times marked as UTC."""
        if name in self.labels:
            return self.labels[name]
        heading = name.removesuffix("_at").replace("_", " ").capitalize()
        return f"{heading} (UTC)" if name.endswith("_at") else heading

    def shown(self, row: Any, name: str) -> Any:
        """A column's value as a page shows it."""
        formatter = self.formatters.get(name)
        return formatting.cell(formatter(row) if formatter else getattr(row, name))

    # -- reading

    def search(self, rows: Select[Any], text: str) -> Select[Any]:
        """Only the rows with this text in a searched column."""
        return rows.where(contains(self.searched, text))

    def _query(self) -> TableQuery:
        """The query in the request's address, without what is invalid."""
        filters, conditions = {}, []
        for table_filter in self.filters:
            value = request.args.get(table_filter.name, "").strip()
            condition = table_filter.condition(value) if value else None
            if condition is not None:
                filters[table_filter.name] = value
                conditions.append(condition)
        sort = request.args.get("sort", -1, type=int)
        is_sortable = 0 <= sort < len(self.columns) and self.columns[sort] in self.sorts
        return TableQuery(
            filters=filters,
            conditions=conditions,
            search=request.args.get("search", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            sort=sort if is_sortable else None,
            descending=request.args.get("desc") == "1",
            page=min(max(request.args.get("page", 0, type=int), 0), LAST_PAGE),
        )

    def _read(self, query: TableQuery, limit: int, offset: int = 0) -> tuple[int, list[Any]]:
        """How many rows the query selects, and those of one page, in order."""
        key = self.model.id
        matching = select(self.model).where(*query.conditions)
        order = list(self.default_order)
        if query.sort is not None:
            sorted_by = [*self.sorts[self.columns[query.sort]], key]
            order = [by.desc() if query.descending else by.asc() for by in sorted_by]
        if query.search:
            # Matching text is what costs, so it is done once: the count comes with the ids.
            matching = self.search(matching, query.search)
            ids = matching.with_only_columns(key, func.count().over())
            hits = db.session.execute(ids.order_by(*order).limit(limit).offset(offset)).all()
            return (hits[0][1] if hits else 0), self._rows([hit[0] for hit in hits])
        # Without a condition, only maintain_column_froms keeps the table in the FROM clause.
        counted = matching.with_only_columns(func.count(), maintain_column_froms=True)
        ids = matching.with_only_columns(key).order_by(*order).limit(limit).offset(offset)
        return db.session.scalar(counted) or 0, self._rows(db.session.scalars(ids).all())

    def _rows(self, ids: Sequence[Any]) -> list[Any]:
        """The rows of these ids, in this order. Sorting ids alone keeps heavy columns out of it."""
        rows: dict[Any, Any] = {}
        for start in range(0, len(ids), IDS_PER_QUERY):
            some = select(self.model).where(self.model.id.in_(ids[start : start + IDS_PER_QUERY]))
            rows |= {row.id: row for row in db.session.scalars(some.options(*self.loads))}
        return [rows[row_id] for row_id in ids if row_id in rows]


def contains(columns: Iterable[Any], text: str) -> Condition:
    """One of these columns contains the text, in any case; ``%`` and ``_`` mean themselves."""
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def league_options() -> list[tuple[str, str]]:
    """The followed leagues as options of a filter."""
    return [(slug, slug.upper()) for slug in services().settings.leagues]


def _exported(value: Any) -> Any:
    """A value for any export: a team's or a league's name in place of the object."""
    if isinstance(value, Team):
        return value.display_name
    return value.slug if isinstance(value, League) else value
