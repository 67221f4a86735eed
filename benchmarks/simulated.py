"""`python -m benchmarks.simulated TRAIN.csv OUT SECONDS LOAD`: a training on a simulated machine, whose clock counts this process's
processor seconds `LOAD` times: what else runs here does not change the outcome. One JSON line tells what it took."""

from __future__ import annotations

import json
import sys
import time
from math import inf
from pathlib import Path

from recipes import artefact, catalogue
from recipes.cli.tables import read_training
from recipes.cli.train import FIT_SHARE
from recipes.run import Run


def main() -> None:
    """Train user-personalization and publish it."""
    interactions, out, seconds, load, seed = Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:6])
    began = time.process_time()

    def clock() -> float:
        return (time.process_time() - began) * load

    epochs = []
    budget = None if seconds == inf else seconds
    run = Run(int(seed), budget, lambda progress: epochs.append(progress.epoch), started=0.0, clock=clock)
    files = [path if (path := interactions.with_name(f"{name}.csv")).exists() else None for name in ("items", "users")]
    data = read_training(interactions, *files)
    model = catalogue.get("aws-user-personalization")().fit(data, run.share(FIT_SHARE))
    model.prepare(data.histories(), run)
    artefact.save(out, model, data)
    validated = sum(epoch is not None for epoch in epochs)
    print(json.dumps({"simulated_s": round(clock(), 1), "epochs": validated}))


if __name__ == "__main__":
    main()
