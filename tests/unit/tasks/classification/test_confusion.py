import torch

from resnext.tasks.classification.confusion import top_confusions, worst_classes

NAMES = ("a", "b", "c", "d")
# Wrong images: a 1, b 0, c 5, d 3.
CONFUSION = torch.tensor([[9, 1, 0, 0], [0, 10, 0, 0], [4, 0, 5, 1], [0, 0, 3, 7]])


def test_the_worst_classes_stay_in_the_order_of_the_labels() -> None:
    table = worst_classes(CONFUSION, NAMES, most=3)
    assert table.names == ["a", "c", "d"]
    assert table.rows == [[9, 0, 0], [4, 5, 1], [0, 3, 7]]
    assert table.others == [1, 0, 0]
    assert table.totals == [10, 10, 10]


def test_all_classes_are_kept_where_there_are_few() -> None:
    table = worst_classes(CONFUSION, NAMES, most=20)
    assert table.rows == CONFUSION.tolist()
    assert table.others == [0, 0, 0, 0]


def test_confusions_are_ranked_by_their_images() -> None:
    expected = [("c", "a", 4, 40.0), ("d", "c", 3, 30.0)]
    assert top_confusions(CONFUSION, NAMES)[:2] == expected
    assert len(top_confusions(CONFUSION, NAMES)) == 4


def test_a_perfect_network_confuses_nothing() -> None:
    assert top_confusions(torch.eye(4, dtype=torch.int64), NAMES) == []
