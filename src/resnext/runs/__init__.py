"""A run on disk, below training and evaluation.

`config` has all settings of a run, `folder` its files, `metrics_log` and `tensorboard_file` its
logs, `environment` and `runtime` the machine, `health` and `kept_epoch` findings from the log. May
import the configs of data and model; not training or evaluation.
"""
