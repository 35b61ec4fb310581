"""The shop's own products: :class:`MappedCatalog` over a SQLAlchemy model, :class:`CallableCatalog` over functions.

SQLAlchemy is not imported: a session and a model are taken by what they can do, so any version the shop runs will do.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import InputError, SetupError
from ..records import Product, RowError
from .readers import BadField
from .values import FIELDS, Reading, product_from

Availability = Callable[[Sequence[str]], "Mapping[str, bool] | Iterable[str]"]


class MappedCatalog:
    """Products read from a SQLAlchemy or Flask-SQLAlchemy model.

    :param session: a session, a ``scoped_session`` (Flask-SQLAlchemy's ``db.session``), or a callable such as a
        ``sessionmaker`` that gives a session, which is closed after each use
    :param model: the mapped class
    :param mapping: our field to an attribute (``"name"`` or ``Model.name``), a dotted path through relationships
        (``"brand.name"``; through a collection, ``"tags.label"`` gives a list), or a callable of one row.
        ``product_id`` must be a column; ``attributes`` is an object of such
    :param availability: what tells whether a product can be bought: the name of a column (a flag, or a number of
        pieces of which ``NULL`` means uncounted), or a callable of ids that gives the ids that can be bought, or each
        id with True or False. Without it, the mapped ``in_stock`` or ``stock`` column
    :param where: filters of ``Query.filter``, such as ``[Model.published]``; they hold for availability too
    :param options: loader options of ``Query.options``, such as ``[selectinload(Model.tags)]``
    :param currency: ISO 4217 code of products that name none
    :param batch: rows fetched at once
    :raises SetupError: the mapping names what the model does not have, or leaves out what is needed
    """

    def __init__(
        self,
        session: Any,
        model: Any,
        mapping: Mapping[str, Any],
        *,
        availability: str | Any | Availability | None = None,
        where: Sequence[Any] = (),
        options: Sequence[Any] = (),
        currency: str = "",
        batch: int = 1000,
    ) -> None:
        if batch < 1:
            raise SetupError(f"batch must be at least 1, not {batch}")
        self._session, self._model, self._batch = session, model, batch
        self._where, self._options, self._reading = tuple(where), tuple(options), Reading(currency)
        self._readers = _readers(model, mapping)
        self._id = _column(model, mapping["product_id"], "product_id")
        self._buyable: Any = None
        self._callable: Availability | None = None
        if availability is None:
            availability = mapping.get("in_stock", mapping.get("stock"))
            if callable(availability) and not hasattr(availability, "in_"):
                availability = None
        if callable(availability) and not hasattr(availability, "in_"):
            self._callable = availability
        elif availability is not None:
            self._buyable = _column(model, availability, "availability")
            if _python_type(self._buyable) is str:
                raise SetupError("availability must be a flag or a number of pieces; for words give a callable of ids")
        else:
            raise SetupError(
                'say how to tell what can be bought: availability="in_stock", or a callable of ids such as '
                "availability=lambda ids: shop.available(ids)"
            )

    def products(self) -> Iterator[Product]:
        """Every product, streamed.

        :raises InputError: a row cannot be a product; :meth:`rows` goes on instead
        """
        yield from _strictly(self.rows())

    def rows(self) -> Iterator[Product | RowError]:
        """Every product, or what is wrong with its row; lines count rows."""
        with self._opened() as session:
            query = session.query(self._model).autoflush(False).options(*self._options).filter(*self._where)
            for line, row in enumerate(query.yield_per(self._batch), 1):
                yield _read(line, {field: read(row) for field, read in self._readers.items()}, self._reading)

    def availability(self, product_ids: Sequence[str]) -> dict[str, bool]:
        """Whether each can be bought now, in one query; unknown ids are left out."""
        if not product_ids:
            return {}
        if self._callable is not None:
            return _answers(self._callable(product_ids), product_ids)
        keys = _keys(self._id, product_ids)
        with self._opened() as session:
            # No autoflush: what the shop has not finished in its own session is not ours to write.
            query = session.query(self._id, self._buyable).autoflush(False)
            query = query.filter(self._id.in_(list(keys)), *self._where)
            flag = _python_type(self._buyable) is bool
            return {keys[key]: _can_buy(value, flag) for key, value in query if key in keys}

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The session to use. One that the shop keeps is left open; one made for us is closed."""
        shared = not callable(self._session) or hasattr(self._session, "remove")
        session = self._session if shared else self._session()
        try:
            yield session
        finally:
            if not shared and not hasattr(session, "remove"):
                session.close()


class CallableCatalog:
    """Products from the shop's own functions.

    :param products: gives every product, as :class:`~mtp_plugin.records.Product` or as mappings of its fields
    :param availability: of ids; gives the ids that can be bought, or each id with True or False
    :param currency: ISO 4217 code of products that name none
    """

    def __init__(
        self,
        products: Callable[[], Iterable[Any]],
        availability: Availability,
        *,
        currency: str = "",
    ) -> None:
        for name, given in (("products", products), ("availability", availability)):
            if not callable(given):
                raise SetupError(f"{name} must be a callable, not {type(given).__name__}")
        self._products, self._availability, self._reading = products, availability, Reading(currency)

    def products(self) -> Iterator[Product]:
        """Every product.

        :raises InputError: one is malformed; :meth:`rows` goes on instead
        """
        yield from _strictly(self.rows())

    def rows(self) -> Iterator[Product | RowError]:
        """Every product, or what is wrong with it; lines count from 1 in the order given."""
        for line, given in enumerate(self._products(), 1):
            if isinstance(given, Product):
                given = {name: getattr(given, name) for name in Product.__struct_fields__}
            if isinstance(given, Mapping):
                yield _read(line, given, self._reading)
            else:
                yield RowError(line, "", f"is {type(given).__name__}; give a Product or a mapping of its fields")

    def availability(self, product_ids: Sequence[str]) -> dict[str, bool]:
        """Whether each can be bought now."""
        return _answers(self._availability(product_ids), product_ids) if product_ids else {}


def _read(line: int, values: Mapping[str, Any], reading: Reading) -> Product | RowError:
    try:
        return product_from(values, reading)
    except BadField as error:
        name = values.get("product_id")
        return RowError(line, error.field, f"{error.reason} (product {name})" if name else error.reason)


def _strictly(rows: Iterable[Product | RowError]) -> Iterator[Product]:
    for row in rows:
        if isinstance(row, RowError):
            raise InputError(f"product {row.line}: {row.field}: {row.reason}", field=row.field)
        yield row


def _answers(given: Mapping[str, bool] | Iterable[str], product_ids: Sequence[str]) -> dict[str, bool]:
    if isinstance(given, Mapping):
        return {product_id: bool(given.get(product_id, False)) for product_id in product_ids}
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise InputError(
            f"availability gave {type(given).__name__}; let it give the ids that can be bought, or each with a flag",
            field="availability",
        )
    found = set(map(str, given))
    return {product_id: product_id in found for product_id in product_ids}


def _can_buy(value: Any, flag: bool) -> bool:
    """A flag as it is, unset meaning no; pieces must be left, and an uncounted stock (``None``) always is."""
    return bool(value) if flag else value is None or bool(value > 0)


def _readers(model: Any, mapping: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    for field in ("product_id", "title"):
        if field not in mapping:
            raise SetupError(f'the mapping leaves out {field}; say which attribute holds it: {{"{field}": "name"}}')
    readers: dict[str, Callable[[Any], Any]] = {}
    for field, spec in mapping.items():
        if field not in FIELDS:
            raise SetupError(f"there is no field {field}; {_close(field, FIELDS)}")
        if field == "attributes" and isinstance(spec, Mapping):
            parts = {name: _reader(model, part, f"attributes.{name}") for name, part in spec.items()}
            readers[field] = _object_reader(parts)
        else:
            readers[field] = _reader(model, spec, field)
    return readers


def _object_reader(parts: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    return lambda row: {name: read(row) for name, read in parts.items()}


def _reader(model: Any, spec: Any, field: str) -> Callable[[Any], Any]:
    if hasattr(spec, "key") and isinstance(spec.key, str):
        spec = spec.key
    if callable(spec):
        function: Callable[[Any], Any] = spec
        return function
    if not isinstance(spec, str):
        raise SetupError(f"{field} is mapped to {spec!r}; give an attribute's name, a dotted path or a callable")
    parts = spec.split(".")
    if not hasattr(model, parts[0]):
        known = [name for name in dir(model) if not name.startswith("_")]
        raise SetupError(f"{model.__name__} has no attribute {parts[0]} for {field}; {_close(parts[0], known)}")
    return lambda row: _walk(row, parts)


def _walk(value: Any, parts: Sequence[str]) -> Any:
    """Follow attributes; a collection on the way is followed member by member, a missing link gives ``None``."""
    for number, part in enumerate(parts):
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_walk(member, parts[number:]) for member in value]
        if value is None:
            return None
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return value


def _column(model: Any, spec: Any, field: str) -> Any:
    """The model's attribute as something that a query can use."""
    column = getattr(model, spec, None) if isinstance(spec, str) else spec
    if not hasattr(column, "in_"):
        raise SetupError(
            f"{field} must be a column of {model.__name__}, not {spec!r}; for anything else give a callable"
        )
    return column


def _python_type(column: Any) -> type:
    try:
        kind: type = column.type.python_type
    except (AttributeError, NotImplementedError):
        return object
    return kind


def _keys(column: Any, product_ids: Sequence[str]) -> dict[Any, str]:
    """Our ids, which are texts, as the column's type; what cannot be one is no product's id."""
    kind = _python_type(column)
    keys: dict[Any, str] = {}
    for product_id in product_ids:
        try:
            key: Any = product_id if kind in (str, object) else kind(product_id)
        except (TypeError, ValueError, ArithmeticError):
            continue
        if str(key) == product_id and not (kind is int and abs(key) >= 2**63):
            keys[key] = product_id
    return keys


def _close(word: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
