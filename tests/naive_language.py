"""Slow twins of the language models, from the definitions. Nothing here imports `reservoir`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

Symbols = Sequence[int]
BEGIN = 1


class KneserNey:
    """Interpolated modified Kneser-Ney over dictionaries of n-grams (Chen & Goodman 1999)."""

    def __init__(self, documents: Sequence[Symbols], order: int, n_symbols: int) -> None:
        self.order, self.n_symbols = order, n_symbols
        self.counts: list[Counter[tuple[int, ...]]] = []
        for n in range(1, order + 1):
            counts: Counter[tuple[int, ...]] = Counter()
            longer = {tuple(d[i : i + n + 1]) for d in documents for i in range(len(d) - n)}
            for d in documents:
                for i in range(len(d) - n + 1):
                    gram = tuple(d[i : i + n])
                    if gram == (BEGIN,):
                        continue
                    if n == order or gram[0] == BEGIN:
                        counts[gram] += 1
                    else:
                        counts[gram] = len({one for one in longer if one[1:] == gram})
            self.counts.append(counts)
        self.discounts = [discounts(list(counts.values())) for counts in self.counts]

    def probability(self, symbol: int, context: Symbols) -> float:
        context = tuple(context)[max(len(context) - self.order + 1, 0) :]
        counts = self.counts[len(context)]
        after = {gram: count for gram, count in counts.items() if gram[:-1] == context}
        lower = self.probability(symbol, context[1:]) if context else 1.0 / (self.n_symbols - 1)
        total = sum(after.values())
        if total == 0:
            return lower
        d = self.discounts[len(context)]
        passed = sum(d[min(count, 3)] for count in after.values()) / total
        count = after.get((*context, symbol), 0)
        return (count - d[min(count, 3)]) / total + passed * lower


def discounts(counts: list[int]) -> list[float]:
    n = [counts.count(k) for k in range(5)]
    found = [0.0]
    for k, fallback in ((1, 0.5), (2, 1.0), (3, 1.5)):
        if n[1] == 0 or n[k] == 0:
            found.append(fallback)
            continue
        y = n[1] / (n[1] + 2 * n[2])
        d = k - (k + 1) * y * n[k + 1] / n[k]
        found.append(d if 0 <= d <= k else fallback)
    return found


# Symbols


def one_hot(symbols: Symbols, count: int) -> list[list[float]]:
    return [[float(code == symbol) for code in range(count)] for symbol in symbols]


def product(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], columns: int) -> np.ndarray:
    """A B, for B of so many columns."""
    out = np.zeros((len(a), columns))
    for i in range(len(a)):
        for j in range(columns):
            for k in range(len(b)):
                out[i, j] += float(a[i][k]) * float(b[k][j])
    return out


def softmax_cross_entropy(outputs: np.ndarray, symbols: Symbols, weights: Sequence[float]) -> tuple[float, np.ndarray]:
    """The loss and its gradient with respect to the outputs, in float64."""
    loss, gradient = 0.0, np.zeros(outputs.shape)
    for n, (row, symbol, weight) in enumerate(zip(outputs.tolist(), symbols, weights, strict=True)):
        if weight == 0.0:
            continue
        total = math.fsum(math.exp(y - max(row)) for y in row)
        loss -= float(weight) * (row[symbol] - max(row) - math.log(total))
        for o, y in enumerate(row):
            gradient[n, o] = float(weight) * (math.exp(y - max(row)) / total - (o == symbol))
    return loss, gradient


# Drawing


def draw(scores: Sequence[float], never: Symbols, temperature: float, top: int, uniform: float) -> int:
    allowed = {symbol: score for symbol, score in enumerate(scores) if symbol not in never}
    if top:
        least = sorted(allowed.values(), reverse=True)[:top][-1]
        allowed = {symbol: score for symbol, score in allowed.items() if score >= least}
    largest = max(allowed.values())
    parts = {symbol: math.exp((score - largest) / temperature) for symbol, score in allowed.items()}
    passed = 0.0
    for symbol, part in parts.items():
        passed += part / sum(parts.values())
        if passed > uniform:
            return symbol
    return symbol
