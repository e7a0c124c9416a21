"""A fitted forecaster as plain data and arrays, for a model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from reservoir.base.estimator import clone
from reservoir.files.frames import FrameKind
from reservoir.forecasting.bands import Errors
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.model import SeriesModel
from reservoir.forecasting.past import Past
from reservoir.forecasting.prepared import Prepared
from reservoir.forecasting.times import Step
from reservoir.forecasting.transform import Scale

Plain = dict[str, Any]


def to_plain(forecaster: Forecaster) -> Plain:
    """All that a fitted forecaster has learned and seen; its parameters are kept elsewhere."""
    prepared, seed = forecaster.prepared_, forecaster.seed_
    return {
        "rows": forecaster.rows_, "seed": [str(seed.entropy), list(seed.spawn_key)],
        "kind": None if forecaster.kind_ is None else asdict(forecaster.kind_),
        "names": list(prepared.names), "horizon": prepared.horizon,
        "series": prepared.series, "known": prepared.known, "past": prepared.past,
        "times": None if prepared.times is None else prepared.times.astype("M8[s]").astype(np.int64),
        "step": None if prepared.step is None else asdict(prepared.step),
        "models": [_model_to_plain(model) for model in forecaster.models_],
    }  # fmt: skip


def from_plain(settings: Forecaster, plain: Mapping[str, Any]) -> Forecaster:
    """The forecaster with these settings that `to_plain` was given. Raises KeyError, TypeError or ValueError for damaged data."""
    times, step, kind = plain["times"], plain["step"], plain["kind"]
    prepared = Prepared(
        plain["series"], plain["known"], plain["past"], tuple(plain["names"]), plain["horizon"],
        None if times is None else times.astype("M8[s]"), None if step is None else Step(**step),
    )  # fmt: skip
    n, d = prepared.series.shape
    if d != len(prepared.names) or len(prepared.known) != n + prepared.horizon or len(prepared.past) != n:
        raise ValueError("series, names and known columns do not fit together")
    forecaster, (entropy, spawn_key) = clone(settings), plain["seed"]
    forecaster.seed_ = np.random.SeedSequence(int(entropy), spawn_key=tuple(spawn_key))
    forecaster.parts_ = forecaster.chosen_parts(forecaster.seed_)
    forecaster.prepared_, forecaster.rows_ = prepared, plain["rows"]
    forecaster.kind_ = None if kind is None else FrameKind(**kind)
    forecaster.models_ = [_model_from_plain(model, prepared, k) for k, model in enumerate(plain["models"])]
    return forecaster


def _model_to_plain(model: SeriesModel) -> Plain:
    past = model.past
    return {
        "z": past.z, "observed": past.observed, "season": past.season, "periods": list(past.periods), "origins": past.origins,
        "columns": past.columns, "effects": past.effects, "scale": asdict(past.scale), "parts": list(model.names),
        "weights": model.weights, "arrays": {name: dict(arrays) for name, arrays in model.arrays.items()},
        "errors": model.errors._asdict(), "past_rmse": list(model.past_rmse), "center": model.center, "spread": model.spread,
        "effect_weights": model.effect_weights, "rows": model.rows,
    }  # fmt: skip


def _model_from_plain(plain: Mapping[str, Any], prepared: Prepared, k: int) -> SeriesModel:
    start, series = prepared.one(k)
    if len(plain["z"]) != len(series):
        raise ValueError(f"{len(plain['z'])} fitted rows for {len(series)}")
    past = Past(
        plain["z"], plain["observed"], plain["season"], tuple(plain["periods"]), prepared.horizon, plain["origins"],
        plain["columns"], prepared.known[start:], plain["effects"], Scale(**plain["scale"]),
    )  # fmt: skip
    first, second = plain["past_rmse"]
    return SeriesModel(
        past, tuple(plain["parts"]), plain["weights"], plain["arrays"], Errors(**plain["errors"]), (first, second),
        plain["center"], plain["spread"], plain["effect_weights"], plain["rows"],
    )  # fmt: skip
