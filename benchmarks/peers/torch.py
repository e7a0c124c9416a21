"""PyTorch: trained cells and language models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

NAMES = {"Elman": "RNN"}


def version() -> str:
    """Name the library and its version."""
    return f"PyTorch {torch.__version__.partition('+')[0]}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case: a whole training step."""
    if case["kind"] != "training":
        return None
    torch.set_num_threads(case["threads"])
    return language(case) if case["symbols"] else regression(case)


def regression(case: dict[str, Any]) -> Callable[[], object]:
    """A layer, a linear head at every step, squared error, its gradient, Adam."""
    units, batch, steps, n_inputs = case["shape"]
    layer, head = getattr(torch.nn, NAMES.get(case["cell"], case["cell"]))(n_inputs, units), torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=1e-6)
    inputs, targets = (torch.randn(steps, batch, width) for width in (n_inputs, 1))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        outputs, _ = layer(inputs)
        torch.nn.functional.mse_loss(head(outputs), targets).backward()
        optimizer.step()

    return step


def language(case: dict[str, Any]) -> Callable[[], object]:
    """Symbols, a layer, a softmax over all symbols at every step, its gradient with the norm limited, Adam."""
    units, batch, steps, width = case["shape"]
    symbols, rest = case["symbols"], [getattr(torch.nn, case["cell"])(width, units), torch.nn.Linear(units, case["symbols"])]
    layer, head = rest
    embedding = torch.nn.Embedding(symbols, width) if case["learned"] else None
    parameters = [p for part in (rest if embedding is None else [embedding, *rest]) for p in part.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-6)
    drawn = torch.randint(symbols, (steps + 1, batch))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        read = torch.nn.functional.one_hot(drawn[:-1], symbols).float() if embedding is None else embedding(drawn[:-1])
        outputs = head(layer(read)[0])
        torch.nn.functional.cross_entropy(outputs.reshape(-1, symbols), drawn[1:].reshape(-1)).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step
