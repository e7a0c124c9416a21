"""Writes docs/performance.md from the JSON file of benchmarks/speed.py; it imports nothing but the standard library."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
OURS = "ours"
OWN = {"drive", "dsyrk"}
"""Seconds that only a floor is made of."""

HEAD = """# Performance

How long things take, beside other libraries and beside what the machine can do at best. This page is written by

    python benchmarks/speed.py --page docs/performance.md

from `benchmarks/speed.json`, which `python benchmarks/speed.py --peers NAME=PYTHON ...` measures. Figures are the least of
several repeats: processor time on one thread, elapsed time on two. Ratios compare figures of one run; above 1 the library is
faster. The floor is the time that the row's work would take if nothing but its bound mattered, at the rates measured
in the same run. A name of a library without figures in a row: it does not do that, or not in reasonable time.
"""
ABOUT = {
    "many": (
        "Many sequences at once",
        "64 sequences of 50 steps, leak rate .7, float64, states written out. NumPy's batch is one dense product per step for all"
        " sequences. Multiply-adds bound dense rows; the sparser a matrix is, the more the loads of states, tanh and the writing"
        " of states, sequence by sequence, weigh.",
    ),
    "drive": (
        "One sequence",
        "10 connections per unit, one input, leak rate .5, float64, 10,000 steps, states written out. tanh and multiply-adds are"
        " the floor; the loads of weights and states, two for each multiply-add, and the states written to memory bound it."
        " Random positions gather states one by one.",
    ),
    "closed": (
        "Closed loop",
        "2,000 steps in which the network reads its own output. The bound is that of a drive; the readout's sum, for which the"
        " next step waits, comes on top.",
    ),
    "large": (
        "Large reservoirs",
        "Each step reads 10 weights per unit, its bias, leak, input weight and state, and writes the state twice: 128 bytes per"
        " unit. The floor is a copy that moves as many bytes: between arrays in the last cache for 102,400 units, in memory for"
        " 1,024,000. Memory bounds both, as the states written out are new pages at every call.",
    ),
    "fit": (
        "Fit",
        "10,000 steps, one output, ridge regression by Cholesky, one thread. The sum of products bounds it: the floor is"
        " the library's own drive and one BLAS `dsyrk` of all states, by turns with the fit.",
    ),
    "digits": (
        "Classification",
        "500 units at density .02 read images of 8 x 8 pixels one pixel a step; a fit on 1,297 images and the score on 500."
        " Drawing the weights is included. The drive of 64 steps of each image bounds it.",
    ),
    "sweep": (
        "Sweeps",
        "Elapsed time. narma10, 200 units at density .05, three parameters of 10 values, two seeds; first whole sweeps of 2,000"
        " runs, with the start of their processes and the store. 20 values of a ridge share their states, 20 radii their matrix."
        " The peer does random points of the same space. The drive and the sum of products bound a run.",
    ),
    "training": (
        "Training steps",
        "A recurrent layer, a linear head at every step, squared error, gradient and Adam, float32. H are units, B sequences,"
        " T steps, I inputs. The floor counts products only. With few units the gates and the chain of"
        " steps bound a row, with many the products.",
    ),
    "clockwork": (
        "Clockwork RNN",
        "9 modules, 252 units, 32 sequences of 100 steps: a whole training step, beside the library's Elman network of the same"
        " width, which needs 5.06 times as many multiply-adds in its recurrent products. Small products, the head, the loss and"
        " copies bound it.",
    ),
    "language": (
        "Language models",
        "256 units, 32 streams of 35 symbols, truncated back-propagation, the gradient's norm limited, Adam, float32. With 10,000"
        " symbols the softmax layer's products, and Adam's pass over its weights, bound it.",
    ),
    "start": (
        "Starting",
        "Processor time of whole commands. Python's own start is the floor. The first run after installing compiles its"
        " kernels; later ones load them, and imports bound them.",
    ),
}  # fmt: skip


def seconds_of(row: Row, name: str) -> float:
    """Return the seconds that count: processor time on one thread, elapsed time on two."""
    return float(row["seconds"][name]["cpu" if row["threads"] == 1 else "wall"])


def peers_of(row: Row) -> dict[str, float]:
    """Return the seconds of all but the library."""
    return {name: seconds_of(row, name) for name in row["seconds"] if name != OURS and name not in OWN}


def number(value: float) -> str:
    """Write a number with three digits that count."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}" if value >= 0.0995 else f"{value:.3f}"


def group_table(rows: list[Row]) -> str:
    """Return the table of a group: ours, the floor, and how many times longer each peer takes."""
    peers = list(dict.fromkeys(name for row in rows for name in peers_of(row)))
    floors = any(row["floor"] for row in rows)
    heads = ["", "threads", "reservoir", *(["floor", "of the floor"] if floors else []), *peers]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        factor, ours = row["scale"] / row["per"], seconds_of(row, OURS)
        cells = [row["name"], str(row["threads"]), f"{number(ours * factor)} {row['unit'].split()[0]}"]
        if floors:
            cells += [number(row["floor"] * factor), f"{ours / row['floor']:.2f}"] if row["floor"] else ["", ""]
        found = peers_of(row)
        cells += [f"{number(found[name] * factor)} ({found[name] / ours:.1f}×)" if name in found else "" for name in peers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine_text(found: dict[str, Any]) -> str:
    """Say on what machine the run was, and how fast it is at its simplest."""
    machine, lines = found["machine"], []
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines.append(
        f"{machine['cores']} cores ({machine['architecture']}, vectors of {machine['vector_bits']} bits), {machine['system']},"
        f" Python {machine['python']}, {packages}.\n"
    )
    heads = {
        "fma64": "multiply-adds, float64, GFLOP/s", "fma32": "float32", "gemm64": "BLAS products, float64, GFLOP/s",
        "gemm32": "float32", "tanh64": "tanh, 10⁹/s", "copy_small": "copies in the last cache, GB/s",
        "copy_large": "in memory, GB/s",
    }  # fmt: skip
    lines += ["| threads | " + " | ".join(heads.values()) + " |", "|" + "---|" * (1 + len(heads))]
    for threads, rates in found["rates"].items():
        lines.append(f"| {threads} | " + " | ".join(number(rates[name] / 1e9) for name in heads) + " |")
    return "\n".join(lines)


def page(found: dict[str, Any]) -> str:
    """Return the text of the page."""
    parts = [HEAD, "![Bars: the floor and the fastest peer, relative to the library](performance.png)\n", "## The machine\n"]
    parts.append(machine_text(found) + "\n")
    for group, (title, about) in ABOUT.items():
        if rows := [row for row in found["rows"] if row["group"] == group]:
            units = " / ".join(dict.fromkeys(row["unit"] for row in rows))
            parts.append(f"## {title}\n\n{about}\n\nIn {units}.\n\n{group_table(rows)}\n")
    return "\n".join(parts)


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Put the new rows in the place of those of the same groups and threads."""
    replaced = {(row["group"], row["threads"]) for row in new["rows"]}
    rows = [row for row in old.get("rows", []) if (row["group"], row["threads"]) not in replaced] + new["rows"]
    order = [f"{row['group']} {row['name']}" for row in rows]
    rows.sort(key=lambda row: (order.index(f"{row['group']} {row['name']}"), row["threads"]))
    return new | {"rates": old.get("rates", {}) | new["rates"], "rows": rows}
