"""A run on disk, below training and evaluation.

`config` has all settings of a run, `folder` its files, `metrics_log` and `tensorboard_file` what is
logged, `environment` and `runtime` the machine, `health` and `kept_epoch` what the log tells. May
import the configs of data and model; not what trains or evaluates.
"""
