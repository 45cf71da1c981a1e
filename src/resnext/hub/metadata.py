"""The metadata at the top of a model card, which the Hub uses to classify a network."""

from __future__ import annotations

from huggingface_hub import EvalResult, ModelCardData

from resnext.hub.measured import Measured
from resnext.hub.origin import Origin
from resnext.hub.published import Published
from resnext.model.config import BaselineConfig
from resnext.model.signal import SignalInput
from resnext.tasks.kinds import DEFAULT_TASK, task_kind
from resnext.untrusted.text import printable
from resnext.weights.timm_format import to_timm

_DATA_ON_HUB = {
    "imagenet": "ILSVRC/imagenet-1k",
    "cifar10": "uoft-cs/cifar10",
    "cifar100": "uoft-cs/cifar100",
    "fashion-mnist": "zalando-datasets/fashion_mnist",
    "svhn": "ufldl-stanford/svhn",
}

# The Hub's identifiers for common licences of weights; it accepts no others.
_LICENCES = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "unlicense"),
    *("cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"),
    *("gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "isc", "openrail"),
)


def metadata_of(published: Published, title: str, measured: list[Measured], origin: Origin) -> str:
    """Return the metadata as YAML.

    Args:
        published: The network.
        title: Its name in the Hub's lists of results.
        measured: Its errors; the first one is listed as accuracies.
        origin: The weights that training started from.

    Source: https://huggingface.co/docs/hub/model-cards (the fields of a model card).
    """
    data = published.card.data
    has_timm = to_timm(published.config) is not None
    config = published.config
    # `vgg` of vgg16_bn, `inception` of inception_v3
    family = config.family.partition("_")[0] if isinstance(config, BaselineConfig) else "resnext"
    network = family.rstrip("0123456789")
    purpose = _purpose(published)
    results = _results(measured[0], purpose, published.card.signal) if measured else None
    text: str = ModelCardData(
        license=_licence(published.card.licence),
        license_name=_licence_name(published.card.licence),
        # The Hub's "use this model" button and its download count depend on this.
        library_name="timm" if has_timm else "resnext",
        pipeline_tag=purpose if published.card.signal is None else None,  # it has none of these
        tags=[purpose, *(["timm"] if has_timm else []), network, "pytorch"],
        datasets=[_DATA_ON_HUB[data]] if data in _DATA_ON_HUB else None,
        metrics=["accuracy"] if results else None,
        base_model=printable(origin.repository) or None,
        model_name=printable(title) if results else None,
        eval_results=results,
    ).to_yaml()
    return text.strip()


def _purpose(published: Published) -> str:
    signal = published.card.signal
    if signal is not None:
        return (
            "time-series-classification"
            if signal.kind == "series"
            else f"{signal.kind}-classification"
        )
    kind = task_kind(published.card.task)
    if kind.finds_objects:
        return "object-detection"
    return "image-segmentation" if kind.is_dense else "image-classification"


def _results(measured: Measured, purpose: str, signal: SignalInput | None) -> list[EvalResult]:
    """Return the figures for the Hub's leaderboards: accuracies."""
    if measured.measure != task_kind(DEFAULT_TASK).measure:
        return []
    shares = {"Top-1 accuracy": measured.value, "Top-5 accuracy": measured.top5_error}
    return [
        EvalResult(
            task_type=purpose,
            dataset_type=_DATA_ON_HUB.get(
                measured.data, "imagefolder" if signal is None else signal.kind
            ),
            dataset_name=printable(measured.data),
            dataset_split=printable(measured.split) or None,
            metric_type="accuracy",
            metric_name=name,
            metric_value=round(1.0 - error / 100.0, 6),
        )
        for name, error in shares.items()
        if error is not None
    ]


def _licence(licence: str) -> str | None:
    """Return the Hub's identifier of a licence, or `other` if it has none."""
    if not licence:
        return None
    return licence.lower() if licence.lower() in _LICENCES else "other"


def _licence_name(licence: str) -> str | None:
    return printable(licence) if _licence(licence) == "other" else None
