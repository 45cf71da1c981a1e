import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from digits_network import save_network
from PIL import Image
from prepared_image import prepare_image

from resnext.data.prepare.normalise import normalise
from resnext.errors import ConfigError
from resnext.inference.files import find_images, predict_images
from resnext.inference.load import load
from resnext.inference.predictor import Predictor
from resnext.model.config import ResNeXtConfig
from resnext.model.trained import TrainedNetwork

CPU = torch.device("cpu")


def save_image(path: Path, level: int = 0, side: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (side, side), (level % 256, 90, 30))
    image.putpixel((level % side, 3), (255, 255, 255))
    image.save(path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> TrainedNetwork:
    return load(save_network(tmp_path / "digits.safetensors"))


def test_probabilities_are_those_of_the_network_on_the_prepared_image(
    model: TrainedNetwork, tmp_path: Path
) -> None:
    path = save_image(tmp_path / "photo.png", 40)
    (row,) = predict_images(Predictor(model), [path], top=10)
    pixels = prepare_image(path, 8, None, 1)
    images = normalise(pixels.unsqueeze(0), model.card.mean, model.card.std, CPU)
    with torch.no_grad():
        expected = model.module(images).softmax(1)[0]
    probabilities = [score.probability for score in row.ranked]
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-6)
    assert probabilities == sorted(probabilities, reverse=True)
    for name, probability in ((score.name, score.probability) for score in row.ranked):
        assert probability == pytest.approx(float(expected[int(name)]), abs=1e-6)


def test_bad_files_are_told_in_place_and_the_rest_goes_on(
    model: TrainedNetwork, tmp_path: Path
) -> None:
    good = [save_image(tmp_path / f"{number}.png", number) for number in range(7)]
    empty, text, gone = tmp_path / "empty.png", tmp_path / "text.jpg", tmp_path / "gone.png"
    empty.touch()
    text.write_text("no image")
    paths = [good[0], empty, good[1], good[2], text, *good[3:], gone]
    rows = list(predict_images(Predictor(model), paths, top=3, batch_size=2))
    assert [row.path for row in rows] == paths
    assert [row.path for row in rows if row.error is not None] == [empty, text, gone]
    assert all(len(row.ranked) == 3 for row in rows if row.error is None)
    assert rows[1].error == "the file is empty"
    assert rows[-1].error == "No such file or directory"


def test_a_batch_of_bad_files_only_is_fine(model: TrainedNetwork, tmp_path: Path) -> None:
    rows = list(predict_images(Predictor(model), [tmp_path / "a.png", tmp_path / "b.png"]))
    assert [row.error for row in rows] == ["No such file or directory"] * 2


def test_the_size_of_batches_does_not_change_the_predictions(
    model: TrainedNetwork, tmp_path: Path
) -> None:
    paths = [save_image(tmp_path / f"{number}.png", 9 * number) for number in range(9)]
    predictor = Predictor(model)
    one = [
        [score.name for score in row.ranked]
        for row in predict_images(predictor, paths, batch_size=1)
    ]
    assert one == [
        [score.name for score in row.ranked]
        for row in predict_images(predictor, paths, batch_size=4)
    ]


def test_only_two_batches_are_read_ahead_of_an_endless_source(
    model: TrainedNetwork, tmp_path: Path
) -> None:
    path = save_image(tmp_path / "same.png")
    asked = 0

    def endless() -> Iterator[Path]:
        nonlocal asked
        while True:
            asked += 1
            yield path

    rows = predict_images(Predictor(model), endless(), batch_size=4)
    assert asked == 0
    for taken in (1, 4, 1, 30):
        list(islice(rows, taken))
    # 36 rows are 9 batches; the next one may have been asked for besides.
    assert asked <= 36 + 4
    rows.close()  # type: ignore[attr-defined]  # an iterator to callers, a generator to this test


def test_no_more_classes_are_named_than_there_are(model: TrainedNetwork, tmp_path: Path) -> None:
    (row,) = predict_images(Predictor(model), [save_image(tmp_path / "a.png")], top=99)
    assert sorted(score.name for score in row.ranked) == list("0123456789")


def test_networks_that_are_not_for_images_are_refused(model: TrainedNetwork) -> None:
    signals = TrainedNetwork(model.module, ResNeXtConfig(ndim=1), model.card)
    with pytest.raises(ConfigError, match="2 dimensions"):
        Predictor(signals)
    with pytest.raises(ConfigError, match="top=0"):
        predict_images(Predictor(model), [], top=0)


def test_folders_are_walked_in_order_and_others_files_left_out(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/1.jpg", "a.png", "b/c/deep.webp", "b/notes.txt", ".hidden/x.png"):
        save = tmp_path / name
        save.parent.mkdir(parents=True, exist_ok=True)
        save.touch()
    (tmp_path / ".x.png").touch()
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in find_images([tmp_path])]
    assert found == ["a.png", "b/1.jpg", "b/2.PNG", "b/c/deep.webp"]


def test_given_files_count_whatever_their_name(tmp_path: Path) -> None:
    (tmp_path / "picture").touch()
    given = [tmp_path / "picture", tmp_path / "missing.png"]
    assert list(find_images(given)) == given


def test_a_folder_of_many_files_is_found_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnext.inference.files._SORTED_TOGETHER", 3)
    for number in range(10):
        (tmp_path / f"{number}.png").touch()
    assert {path.name for path in find_images([tmp_path])} == {f"{n}.png" for n in range(10)}


def test_finding_is_lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    opened: list[str] = []
    scandir = os.scandir

    def watched(folder: Path) -> Iterator[os.DirEntry[str]]:
        opened.append(Path(folder).name)
        return scandir(folder)

    monkeypatch.setattr("resnext.inference.files.os.scandir", watched)
    paths = find_images([tmp_path])
    assert opened == []
    next(paths)
    assert opened == [tmp_path.name, "a"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_yielded_itself(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    assert list(find_images([tmp_path])) == [tmp_path / "shut"]
