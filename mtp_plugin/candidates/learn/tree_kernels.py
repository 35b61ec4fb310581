"""The loops that grow trees: sums by bin, the split that gains most, and who goes where."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiled import compiled_long

Array = NDArray[Any]
LEAST_CURVATURE = 1e-3
"""Second derivatives in a leaf, at least."""
AHEAD = 64
EQUAL = 1.0 + 1e-12
"""What gains that differ by less are taken to be: they divide the same rows."""


@compiled_long
def slopes(chosen: Array, weights: Array, scores: Array, first: Array, second: Array) -> None:
    """First and second derivatives of the logistic loss of each row by its score, times its weight, into *first* and
    *second*, float32."""
    for row in range(len(scores)):
        if scores[row] > -37.0:
            raised = np.exp(-scores[row])
            slope = ((1.0 - chosen[row]) - chosen[row] * raised) / (1.0 + raised)
            curve = raised / (1.0 + raised) ** 2
        else:
            curve = np.exp(scores[row])
            slope = curve - chosen[row]
        first[row] = weights[row] * slope
        second[row] = weights[row] * curve


@compiled_long
def sparse(bins: Array, common: Array, starts: Array) -> Array:
    """The bins of each row that are not the commonest of their feature, as ``256 * feature + bin``, row after row.

    :param bins: shape ``(features, n)``, uint8
    :param common: of each feature the commonest bin
    :param starts: out, int64 ``(n + 1,)``, zeros: where each row begins, and the end
    :returns: uint16, one more at the end
    """
    features, n = bins.shape
    for feature in range(features):
        for row in range(n):
            starts[row + 1] += bins[feature, row] != common[feature]
    for row in range(n):
        starts[row + 1] += starts[row]
    codes = np.zeros(starts[n] + 1, dtype=np.uint16)
    free = starts[:-1].copy()
    for feature in range(features):
        for row in range(n):
            if bins[feature, row] != common[feature]:
                codes[free[row]] = 256 * feature + bins[feature, row]
                free[row] += 1
    return codes


@compiled_long
def add_up(
    bins: Array, starts: Array, codes: Array, common: Array, rows: Array, first: Array, second: Array, sums: Array,
    counts: Array,
) -> int:  # fmt: skip
    """Sums of both derivatives by feature and bin, and how many rows there are.

    The commonest bin of a feature has what the others leave of the total: adding one number after the other to the
    same place is what takes longest. Where few of the rows are asked for, codes are touched some rows ahead, as
    waiting for memory takes longer still.

    :param bins: not looked at here
    :param starts: with *codes* and *common*: as :func:`sparse` has them
    :param rows: those that are added up
    :param sums: out, float64 ``(256 * features, 2)``, zeros
    :param counts: out, int32 ``(256 * features,)``, zeros
    :returns: nothing of use: that memory was touched
    """
    touched, slope, curve, few = 0, 0.0, 0.0, 4 * len(rows) < len(starts)
    for begin in range(0, len(rows), AHEAD):
        end = min(len(rows), begin + AHEAD)
        if few:
            for place in range(begin, end):
                touched += codes[starts[rows[place]]] + codes[starts[rows[place] + 1]]
        for place in range(begin, end):
            row = rows[place]
            here, bent = np.float64(first[row]), np.float64(second[row])
            slope += here
            curve += bent
            for at in range(starts[row], starts[row + 1]):
                code = codes[at]
                sums[code, 0] += here
                sums[code, 1] += bent
                counts[code] += 1
    for feature in range(len(common)):
        rest, rest_slope, rest_curve = len(rows), slope, curve
        for code in range(256 * feature, 256 * feature + 256):
            rest -= counts[code]
            rest_slope -= sums[code, 0]
            rest_curve -= sums[code, 1]
        code = 256 * feature + common[feature]
        counts[code], sums[code, 0], sums[code, 1] = rest, rest_slope, rest_curve
    return touched


@compiled_long
def best_split(
    sums: Array, counts: Array, n_bins: Array, rows: int, slope: float, curve: float, value: float, least: int,
    ridge: float, found: Array,
) -> None:  # fmt: skip
    """The split that lowers the loss most (Chen and Guestrin, 2016, equation 7), of equals the first.

    :param n_bins: of each feature
    :param rows: in the node, with the sums of *slope* and *curve*, and its *value*
    :param least: rows on either side, at least
    :param found: out: gain (-1 if there is none), feature, bin, and of what goes left rows, slope and curve
    """
    found[0] = -1.0
    for feature in range(len(n_bins)):
        count, left_slope, left_curve = 0, 0.0, 0.0
        for here in range(n_bins[feature] - 1):
            code = 256 * feature + here
            count += counts[code]
            left_slope += sums[code, 0]
            left_curve += sums[code, 1]
            if count < least or left_curve < LEAST_CURVATURE:
                continue
            right_slope, right_curve = slope - left_slope, curve - left_curve
            if rows - count < least or right_curve < LEAST_CURVATURE:
                break
            left = -left_slope / (left_curve + ridge + 1e-15)
            right = -right_slope / (right_curve + ridge + 1e-15)
            gain = slope * value - left_slope * left - right_slope * right
            if gain > found[0] * EQUAL and gain > 0.0:
                found[0], found[1], found[2] = gain, feature, here
                found[3], found[4], found[5] = count, left_slope, left_curve


@compiled_long
def part(bins: Array, rows: Array, feature: int, most: int, spare: Array) -> int:
    """Put the rows of which a feature's bin is at most *most* first, both sides in their order; how many they are."""
    left, right = 0, 0
    for place in range(len(rows)):
        row = rows[place]
        if bins[feature, row] <= most:
            rows[left] = row
            left += 1
        else:
            spare[right] = row
            right += 1
    rows[left:] = spare[:right]
    return left
