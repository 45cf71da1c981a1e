"""Both loaders under one name, for those who use them."""

from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.loading.train_loader import TrainLoader, needs_workers

__all__ = ["EvalLoader", "TrainLoader", "needs_workers"]
