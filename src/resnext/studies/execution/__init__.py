"""Running trials: processes, clusters, queues, halving."""
