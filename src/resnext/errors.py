"""The exceptions that people meet, all in one place.

ResNeXtError
├── ConfigError      a setting is wrong: a name, a value, a combination
│   └── PluginError  a network has a part that nothing loaded registers
├── DataError        a data set is missing, malformed or too damaged to use
├── RunError         a run folder exists already, is missing or cannot be written
├── CheckpointError  a weights or checkpoint file is torn, foreign or does not fit
├── DownloadError    a file cannot be fetched, or is not the published one
├── LicenceError     a licence was not accepted
├── ExportError      a network cannot be exported, or what was written is not the network
├── PublishError     a network cannot be published where it should go
└── TrainingError    training cannot go on (the loss is no longer a number)

Each message says what was given, what is accepted and what to do. The command
line prints it without a traceback; anything else that escapes is a bug of ours.
"""


class ResNeXtError(Exception):
    """Base of every error that a user can cause and mend."""


class ConfigError(ResNeXtError, ValueError):
    """A setting is unknown, out of range or contradicts another one."""


class PluginError(ConfigError):
    """A network has a block, stem or shortcut that nothing loaded registers."""


class DataError(ResNeXtError):
    """A data set is missing, malformed or too damaged to use."""


class RunError(ResNeXtError):
    """A run folder exists already, is missing or cannot be written."""


class CheckpointError(ResNeXtError):
    """A weights or checkpoint file is torn, foreign or does not fit the network."""


class DownloadError(ResNeXtError):
    """A file cannot be fetched, or is another one than the published."""


class LicenceError(ResNeXtError):
    """The licence of a file forbids some uses and was not accepted."""


class ExportError(ResNeXtError):
    """A network cannot be exported, or the file written computes something else."""


class PublishError(ResNeXtError):
    """A network cannot be published: the folder, the Hub or the right to write is missing."""


class TrainingError(ResNeXtError):
    """Training cannot go on, for instance because the loss is not a number."""
