"""All exceptions that users can see.

ResNeXtError
├── ConfigError      a setting is wrong: a name, a value, a combination
│   └── PluginError  a network has a part that nothing loaded registers
├── DataError        a data set is missing, malformed or too damaged to use
├── RunError         a run folder exists already, is missing or cannot be written
├── CheckpointError  a weights or checkpoint file is damaged, foreign or does not fit
├── DownloadError    a file cannot be downloaded, or is not the published one
├── LicenceError     a licence was not accepted
├── ExportError      a network cannot be exported, or the export computes something else
├── PublishError     a network cannot be published to its destination
└── TrainingError    training cannot continue (the loss is no longer a number)

Each message says what was given, what is accepted and what to do. The command line prints it
without a traceback; any other exception is a bug.
"""


class ResNeXtError(Exception):
    """Base of every error that a user can cause and fix."""


class ConfigError(ResNeXtError, ValueError):
    """A setting is unknown, out of range or contradicts another one."""


class PluginError(ConfigError):
    """A network has a block, stem or shortcut that nothing loaded registers."""


class DataError(ResNeXtError):
    """A data set is missing, malformed or too damaged to use."""


class RunError(ResNeXtError):
    """A run folder exists already, is missing or cannot be written."""


class CheckpointError(ResNeXtError):
    """A weights or checkpoint file is damaged, foreign or does not fit the network."""


class DownloadError(ResNeXtError):
    """A file cannot be downloaded, or is not the published one."""


class LicenceError(ResNeXtError):
    """The licence of a file forbids some uses and was not accepted."""


class ExportError(ResNeXtError):
    """A network cannot be exported, or the file written computes something else."""


class PublishError(ResNeXtError):
    """A network cannot be published: folder, Hub or write permission is missing."""


class TrainingError(ResNeXtError):
    """Training cannot continue, for example because the loss is not a number."""
