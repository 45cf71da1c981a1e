import math

from matplotlib.figure import Figure
from svg import parse_svg

from resnext import drawing
from resnext.evaluation import plots
from resnext.tasks.kinds import task_kind

KIND = task_kind("classification")
EPOCHS = [
    {"epoch": n, "step": 10 * n, "train_loss": 2 / n, "loss": 1 / n, "top1_error": 50 / n}
    for n in (1, 2, 3)
]


def parse(figure: Figure) -> str:
    """Return the text of a figure as a report holds it."""
    return parse_svg(drawing.as_svg(figure))


def test_curves_are_drawings() -> None:
    for figure in (plots.draw_losses(EPOCHS), plots.draw_figures(EPOCHS, KIND)):
        parse(figure)


def test_a_second_error_curve_appears_where_there_is_a_top5_error() -> None:
    without = parse(plots.draw_figures([row | {"top5_error": None} for row in EPOCHS], KIND))
    having = parse(plots.draw_figures([row | {"top5_error": 1.0} for row in EPOCHS], KIND))
    orange = drawing.ORANGE
    assert orange not in without
    assert orange in having


def test_one_epoch_and_lost_values_can_be_drawn() -> None:
    parse(plots.draw_losses(EPOCHS[:1]))
    parse(plots.draw_losses([*EPOCHS, EPOCHS[0] | {"epoch": 4, "loss": math.nan}]))


def test_the_learning_rate_is_drawn_over_epochs() -> None:
    parse(plots.draw_learning_rate([{"step": 5, "lr": 0.1}, {"step": 10, "lr": 0.2}], 10))
