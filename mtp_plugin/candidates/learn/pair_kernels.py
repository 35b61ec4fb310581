"""The hot loops of training: what stands near what, one product at a time, only its best neighbours kept.

A matrix of all pairs would take gigabytes at ten million events; here a sum lives in one dense row until its product is
done. Without numba the same loops run in Python: right, and slow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiled import compiled_long

Array = NDArray[Any]


@compiled_long
def grouped(codes: Array, n: int) -> tuple[Array, Array]:
    """Positions of each code in ascending order, as compressed rows: ``indptr`` of shape ``(n + 1,)``, positions."""
    indptr = np.zeros(n + 1, dtype=np.int64)
    for code in codes:
        indptr[code + 1] += 1
    for code in range(n):
        indptr[code + 1] += indptr[code]
    free = indptr[:-1].copy()
    positions = np.empty(len(codes), dtype=np.int32)
    for position in range(len(codes)):
        code = codes[position]
        positions[free[code]] = position
        free[code] += 1
    return indptr, positions


@compiled_long
def worse(value: float, column: int, other: float, other_column: int) -> bool:
    """Whether a neighbour stands behind another: by value, among equals by its number."""
    return value < other or (value == other and column > other_column)


@compiled_long
def sink(values: Array, columns: Array, place: int, size: int) -> None:
    """Let the entry at *place* of a heap, the worst on top, fall to where it belongs."""
    while True:
        child = 2 * place + 1
        if child >= size:
            return
        if child + 1 < size and worse(values[child + 1], columns[child + 1], values[child], columns[child]):
            child += 1
        if not worse(values[child], columns[child], values[place], columns[place]):
            return
        values[place], values[child] = values[child], values[place]
        columns[place], columns[child] = columns[child], columns[place]
        place = child


@compiled_long
def best_first(values: Array, columns: Array, size: int) -> None:
    """Order a heap of *size* entries, the best first."""
    for last in range(size - 1, 0, -1):
        values[0], values[last] = values[last], values[0]
        columns[0], columns[last] = columns[last], columns[0]
        sink(values, columns, 0, last)


@compiled_long
def offer(values: Array, columns: Array, size: int, value: float, column: int) -> int:
    """Put an entry into a heap of the best, the worst on top, if it is one of them; gives the new size."""
    if size < len(values):
        place = size
        while place > 0:
            parent = (place - 1) // 2
            if not worse(value, column, values[parent], columns[parent]):
                break
            values[place], columns[place] = values[parent], columns[parent]
            place = parent
        values[place], columns[place] = value, column
        return size + 1
    if worse(values[0], columns[0], value, column):
        values[0], columns[0] = value, column
        sink(values, columns, 0, size)
    return size


@compiled_long
def keep_best(
    touched: Array, found: int, sums: Array, factor: float, scale: Array, values: Array, columns: Array
) -> int:
    """The best of the *found* products by ``factor * sums * scale``, above 0, into *values* and *columns*; how many.

    *values* are float64: what differs by less than a float32 can tell is still in order.
    """
    size = 0
    for at in range(found):
        column = touched[at]
        value = factor * sums[column] * scale[column]
        if value > 0.0:
            size = offer(values, columns, size, value, column)
    best_first(values, columns, size)
    return size


@compiled_long
def viewed_block(
    first: int,
    last: int,
    indptr: Array,
    positions: Array,
    item: Array,
    starts: Array,
    scale: Array,
    ones: Array,
    worth: Array,
    path: int,
    sums: Array,
    touched: Array,
    viewed_columns: Array,
    viewed_values: Array,
    next_columns: Array,
    next_values: Array,
    path_columns: Array,
    path_values: Array,
    sizes: Array,
) -> None:
    """Neighbours in sessions of the products *first* to *last*: seen with them, right after them, a few steps after.

    :param positions: with *indptr*: where each product stands in *item*
    :param starts: whether a place in *item* is the first of its session
    :param worth: of a pair by its distance in steps, from 1; 0 at place 0
    :param path: steps that count for the last of the three
    :param sums: three rows of zeros, int64, given back as zeros
    :param sizes: out: how many neighbours of each kind were found, shape ``(last - first, 3)``
    """
    end, window = len(item), len(worth) - 1
    for product in range(first, last):
        found, all_next, all_path = 0, 0, 0
        for at in range(indptr[product], indptr[product + 1]):
            here = positions[at]
            for there in range(here + 1, min(here + window + 1, end)):
                if starts[there]:
                    break
                other = item[there]
                if other == product:
                    continue
                gain = worth[there - here]
                if sums[0, other] == 0:
                    touched[found] = other
                    found += 1
                sums[0, other] += gain
                if there - here <= path:
                    sums[2, other] += gain
                    all_path += gain
                if there - here == 1:
                    sums[1, other] += gain
                    all_next += gain
            for there in range(here - 1, max(here - window, 0) - 1, -1):
                if starts[there + 1]:
                    break
                other = item[there]
                if other == product:
                    continue
                if sums[0, other] == 0:
                    touched[found] = other
                    found += 1
                sums[0, other] += worth[here - there]
        out = product - first
        sizes[out, 0] = keep_best(
            touched, found, sums[0], scale[product], scale, viewed_values[out], viewed_columns[out]
        )
        sizes[out, 1] = keep_best(
            touched, found, sums[1], 1.0 / max(all_next, 1), ones, next_values[out], next_columns[out]
        )
        sizes[out, 2] = keep_best(
            touched, found, sums[2], 1.0 / max(all_path, 1), ones, path_values[out], path_columns[out]
        )
        for at in range(found):
            sums[:, touched[at]] = 0


@compiled_long
def bought_sums(
    product: int,
    indptr: Array,
    positions: Array,
    basket: Array,
    basket_indptr: Array,
    basket_items: Array,
    weight: Array,
    sums: Array,
    touched: Array,
) -> int:
    """Add up the weights of the orders that hold *product* for each product in them; gives how many were touched."""
    found = 0
    for at in range(indptr[product], indptr[product + 1]):
        order = basket[positions[at]]
        for place in range(basket_indptr[order], basket_indptr[order + 1]):
            other = basket_items[place]
            if sums[other] == 0:
                touched[found] = other
                found += 1
            sums[other] += weight[order]
    return found


@compiled_long
def bought_block(
    first: int,
    last: int,
    indptr: Array,
    positions: Array,
    basket: Array,
    basket_indptr: Array,
    basket_items: Array,
    weight: Array,
    scale: Array,
    sums: Array,
    touched: Array,
    columns: Array,
    values: Array,
    sizes: Array,
) -> None:
    """Neighbours in orders of the products *first* to *last*.

    :param basket: order of each line; *positions* with *indptr* say which lines are a product's
    :param weight: of each order, int64, above 0
    """
    for product in range(first, last):
        found = bought_sums(product, indptr, positions, basket, basket_indptr, basket_items, weight, sums, touched)
        sums[product] = 0
        out = product - first
        sizes[out] = keep_best(touched, found, sums, scale[product], scale, values[out], columns[out])
        for at in range(found):
            sums[touched[at]] = 0


@compiled_long
def gram_rows(
    members: Array,
    place_of: Array,
    indptr: Array,
    positions: Array,
    basket: Array,
    basket_indptr: Array,
    basket_items: Array,
    weight: Array,
    sums: Array,
    touched: Array,
    one: float,
    matrix: Array,
) -> None:
    """The weights of orders that pairs of *members* share, over *one*, into a dense matrix.

    :param place_of: place of each product among the members, -1 for others
    :param matrix: zeros, float32
    """
    for row in range(len(members)):
        found = bought_sums(members[row], indptr, positions, basket, basket_indptr, basket_items, weight, sums, touched)
        for at in range(found):
            column = place_of[touched[at]]
            if column >= 0:
                matrix[row, column] = np.float32(sums[touched[at]]) / np.float32(one)
            sums[touched[at]] = 0


@compiled_long
def content_block(
    first: int,
    last: int,
    indptr: Array,
    tokens: Array,
    weights: Array,
    by_token: Array,
    rows: Array,
    row_weights: Array,
    log_price: Array,
    sums: Array,
    touched: Array,
    columns: Array,
    values: Array,
    sizes: Array,
) -> None:
    """Neighbours in words and price of the rows *first* to *last*.

    :param tokens: of each row, with *indptr* and *weights*; *rows* of each token, with *by_token* and *row_weights*
    :param log_price: NaN or infinite where unknown; how close prices are is as in
        :func:`mtp_plugin.candidates.content.price_closeness`
    """
    for row in range(first, last):
        found = 0
        for at in range(indptr[row], indptr[row + 1]):
            token = tokens[at]
            for place in range(by_token[token], by_token[token + 1]):
                other = rows[place]
                if sums[other] == 0.0:
                    touched[found] = other
                    found += 1
                sums[other] += weights[at] * row_weights[place]
        out, size = row - first, 0
        for at in range(found):
            other = touched[at]
            likeness = float(sums[other])
            sums[other] = 0.0
            # No price makes products more alike, so most need not be looked at.
            if other != row and (size < len(values[out]) or likeness >= values[out, 0]):
                apart = abs(log_price[other] - log_price[row])
                closeness = 0.75 + 0.25 * np.exp(-apart) if np.isfinite(apart) else 0.9
                size = offer(values[out], columns[out], size, likeness * closeness, other)
        best_first(values[out], columns[out], size)
        sizes[out] = size
