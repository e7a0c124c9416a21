"""Readouts that are not of the library: subclasses of `Readout`, and objects with `fit` and `predict`."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from reservoir import ESN, DataError, DivergenceError, Logistic, ModelFileError, ParameterError, RidgeClassifier, load
from reservoir import Ridge as LibraryRidge
from reservoir.base.tensor_file import FileKind, read_tensors, write_tensors
from reservoir.comparison.report import summary as _unused  # noqa: F401
