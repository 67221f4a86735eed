"""EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019), on whole profiles or the last 20 events."""

from __future__ import annotations

import numpy as np
from common import Scorer, Split, run

REGULARISATION = 500.0


def train(model: str, split: Split) -> Scorer:
    """The closed form: B = I - P / diag(P), with P the inverse of the regularised Gram matrix."""
    matrix = split.matrix(split.sequences)
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices(split.num_items)] += REGULARISATION
    precision = np.linalg.inv(gram)
    weights = (-precision / np.diag(precision)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    last = 20 if model == "last20" else None
    return lambda histories: np.asarray(split.matrix([h[-last:] if last else h for h in histories]) @ weights)


if __name__ == "__main__":
    run(train)
