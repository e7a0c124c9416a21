"""reservoirpy with JAX, in float64, its runs compiled by `jax.jit`: alone it compiles them anew at every call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import reservoirpy

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platform_name", "cpu")

import jax.numpy as jnp  # noqa: E402
from reservoirpy.jax.nodes import Reservoir, Ridge  # noqa: E402


def version() -> str:
    """Name the library and its version."""
    return f"reservoirpy {reservoirpy.__version__} with JAX {jax.__version__}"


def prepare(case: dict[str, Any]) -> Callable[[], object] | None:
    """Return the work of a case."""
    if case["kind"] not in ("drive", "many", "fit") or case["threads"] > 1:
        return None
    data = {key: jnp.asarray(np.asarray(value)) for key, value in np.load(case["data"]).items()}
    node = Reservoir(case["units"], sr=0.9, lr=case["leak"], rc_connectivity=case["density"], input_connectivity=1.0, seed=0)
    if case["kind"] == "fit":
        model = node >> Ridge(ridge=case["ridge"])
        return lambda: model.fit(data["inputs"], data["targets"], warmup=100)
    node.run(data["inputs"][0, :2] if case["kind"] == "many" else data["inputs"][:2])
    node.reset()
    run = partial(node._run, node.state)
    compiled = jax.jit(jax.vmap(run) if case["kind"] == "many" else run)
    return lambda: jax.block_until_ready(compiled(data["inputs"]))
