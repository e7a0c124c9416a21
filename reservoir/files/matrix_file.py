"""Reading users' matrices: what numpy.save, numpy.savez or scipy.sparse.save_npz wrote."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np

from reservoir.files.reading import PathLike, reading
from reservoir.validation import DataError


def read_matrix(path: PathLike) -> Any:
    """Read the array of a .npy file or the only one of a .npz file, or the SciPy CSR matrix of a .npz file.

    Raises `DataError` where the file cannot be read, is of another kind, or holds several arrays. Never runs code of a file.
    """
    try:
        with reading(path, "NumPy file"), open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return found
            arrays = dict(found)
    except (zipfile.BadZipFile, EOFError):
        raise DataError(f"{path}: is damaged; write it again with numpy.save or scipy.sparse.save_npz.") from None
    if "format" in arrays:
        import scipy.sparse as sp

        with reading(path, "NumPy file"):
            return sp.csr_array(sp.load_npz(path))
    if len(arrays) != 1:
        raise DataError(f"{path}: holds {len(arrays)} arrays ({', '.join(arrays)}); write the one that is meant alone.")
    return next(iter(arrays.values()))
