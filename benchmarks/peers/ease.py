"""EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019), on whole profiles or the last events."""

from __future__ import annotations

import numpy as np
from common import Fitted, Split, parse, run


def train(model: str, split: Split) -> Fitted:
    """The closed form: B = I - P / diag(P), with P the inverse of the regularised Gram matrix."""
    _, settings = parse(model)
    last = int(settings.get("last", 0)) or None
    matrix = split.matrix(split.train)
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices(split.num_items)] += settings["lambda"]
    precision = np.linalg.inv(gram)
    weights = (-precision / np.diag(precision)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return Fitted(lambda histories: np.asarray(split.matrix([h.last(last) for h in histories]) @ weights), {})


if __name__ == "__main__":
    run(train)
