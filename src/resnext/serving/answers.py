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


def check_form(model: ServedModel, masks: MaskForm | None) -> None:
    """Refuse a form of masks if the network has no masks.

    Raises:
        HttpError: 422, the network classifies whole images.
    """
    if masks is not None and not model.is_dense:
        raise HttpError(
            422,
            "invalid_parameter",
            f"masks={masks}: the network classifies whole images and has no masks; omit it",
        )


async def write_answers(
    model: ServedModel, answers: Sequence[Answer], masks: MaskForm | None
) -> list[dict[str, Any]]:
    """Write answers as JSON values; masks are encoded in a thread, since it takes time.

    Raises:
        HttpError: 422, the masks have too many runs.
    """
    if not model.is_dense:
        return [answer.as_dict() for answer in answers]
    return await asyncio.to_thread(_write_masks, answers, masks)


def _write_masks(answers: Sequence[Answer], masks: MaskForm | None) -> list[dict[str, Any]]:
    if masks != "rle":
        return [answer.as_dict() for answer in answers]
    found = [answer for answer in answers if isinstance(answer, MaskAnswer)]
    num_runs = sum(answer.num_runs for answer in found)
    if num_runs > _MAX_RUNS:
        raise HttpError(
            422,
            "too_many_runs",
            f"the masks have {num_runs:,} runs, more than the {_MAX_RUNS:,} accepted; use "
            "masks=png or send fewer images",
        )
    return [answer.as_runs() for answer in found]
