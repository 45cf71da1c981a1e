"""Answers of the service as JSON values, with masks in the requested form."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from resnext.serving.model import ServedModel
from resnext.serving.problems import HttpError
from resnext.tasks.answer import Answer
from resnext.tasks.segmentation.answer import MaskAnswer

MaskForm = Literal["png", "rle"]

_MAX_RUNS = 1_000_000
"""Limit for all masks of an answer: 10 MB of JSON."""


def check_query(model: ServedModel, masks: MaskForm | None, min_score: float | None) -> None:
    """Refuse parameters that do not suit the network.

    Raises:
        HttpError: 422, the network has no masks, or no objects.
    """
    forms = model.answers.mask_forms
    if masks is not None and masks not in forms:
        reason = (
            f"the masks of this network are written as {', '.join(forms)}"
            if forms
            else "the network classifies whole images and has no masks"
        )
        raise HttpError(422, "invalid_parameter", f"masks={masks}: {reason}; omit it")
    if min_score is not None and not model.finds_objects:
        raise HttpError(
            422,
            "invalid_parameter",
            f"min_score={min_score}: the network does not find objects; omit it",
        )


async def write_answers(
    model: ServedModel, answers: Sequence[Answer], masks: MaskForm | None
) -> list[dict[str, Any]]:
    """Write answers as JSON values; masks are encoded in a thread, since it takes time.

    Raises:
        HttpError: 422, the masks have too many runs.
    """
    if not model.keeps_size:
        return [answer.as_dict() for answer in answers]
    return await asyncio.to_thread(_write_masks, answers, masks)


def _write_masks(answers: Sequence[Answer], masks: MaskForm | None) -> list[dict[str, Any]]:
    if all(isinstance(answer, MaskAnswer) for answer in answers) and masks != "rle":
        return [answer.as_dict() for answer in answers]
    num_runs = sum(answer.num_runs for answer in answers)
    if num_runs > _MAX_RUNS:
        raise HttpError(
            422,
            "too_many_runs",
            f"the masks have {num_runs:,} runs, more than the {_MAX_RUNS:,} accepted; use "
            "masks=png for classes of pixels, ask for fewer objects, or send fewer images",
        )
    return [
        answer.as_runs() if isinstance(answer, MaskAnswer) else answer.as_dict()
        for answer in answers
    ]
