"""Texts through the verbs: train, resume, evaluate, predict, describe, report, data check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command
from made_texts import question, write_questions
from runs import assert_same_bits, finish, finish_killed_after_a_save

from resnext.data.config import DataConfig
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.text import for_text, text
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.weights.source import open_weights

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=4, stage_widths=(16, 32),
    stem_width=8,
)  # fmt: skip
NAME = "resnext_1-1_2x8d_cifar"


def _config(folder: Path) -> TrainConfig:
    data = DataConfig(name="text", root=write_questions(folder / "questions"))
    config = text(for_text(TINY, "word"), data, 40)
    return config.replace(
        signal_augment=SignalAugmentConfig(word_dropout=0.2),
        schedule=config.schedule.replace(epochs=6),
        runtime=RuntimeConfig(device="cpu", threads=1),
        batch_size=6,
        checkpoint_minutes=1e-4,
    )


@pytest.mark.slow
def test_a_run_killed_in_mid_epoch_and_resumed_ends_with_the_same_bits(tmp_path: Path) -> None:
    config = _config(tmp_path)
    assert isinstance(config.model, ResNeXtConfig)
    assert config.model.dropout > 0
    finish(config, tmp_path / "whole")
    finish_killed_after_a_save(config, tmp_path / "killed")
    assert_same_bits(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_a_run_is_not_resumed_on_other_texts(tmp_path: Path, command: Command) -> None:
    config = _config(tmp_path)
    finish(config, tmp_path / "run")
    with (tmp_path / "questions" / "train.tsv").open("a") as file:
        file.write("new new words words\tplace\n")
    status, _, err = command("train", "--resume", tmp_path / "run")
    assert status == 2
    assert "can only be resumed on" in " ".join(err.split())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on questions, next to their folder."""
    from resnext.cli.main import main

    folder = tmp_path_factory.mktemp("texts")
    data = f"text:{write_questions(folder / 'questions', 80, 20)}"
    words = ("train", "--data", data, "--model", NAME, "--epochs", "12", "--lr", "5e-3")
    status = main([*words, "--out", str(folder / "run"), "--threads", "1", "--quiet"])
    assert status == 0
    return folder / "run"


@pytest.mark.slow
def test_texts_are_learned_and_the_weights_hold_embedding_and_vocabulary(
    trained: Path, command: Command
) -> None:
    figures = json.loads((trained / "evaluation.json").read_text())
    assert figures["top1_error"] <= 10  # guessing: 50
    assert figures["num_images"] == 20
    weights = open_weights(trained)
    signal = weights.card.signal
    assert signal is not None
    assert signal.text is not None
    assert {"where", "who", "?"} <= set(signal.text.vocabulary)
    assert figures["signal"]["text"]["vocabulary"] == len(signal.text.vocabulary)
    assert tuple(weights.state["embed.weight"].shape) == (signal.text.num_tokens, 128)

    found = command.json("describe", f"{trained}/")
    assert found["config"]["embedding"] == {"num_tokens": signal.text.num_tokens, "width": 128}
    assert found["parameters"] == sum(
        tensor.numel()
        for name, tensor in weights.state.items()
        if "running" not in name and "num_batches" not in name
    )
    assert f"{signal.text.num_tokens} tokens, 128-d" in command.prints("describe", f"{trained}/")


@pytest.mark.slow
def test_another_file_is_read_with_the_vocabulary_of_training(
    trained: Path, command: Command
) -> None:
    figures = json.loads((trained / "evaluation.json").read_text())
    test = trained.parent / "questions" / "test.tsv"
    again = command.json("evaluate", trained, "--data", f"text:{test}")
    assert again["num_images"] == 20
    assert again["top1_error"] == figures["top1_error"]
    assert again["loss"] == figures["loss"]
    few = trained.parent / "few.tsv"
    few.write_text("text\tlabel\nWhere is rome\tplace\nWho is anna\tperson\n")
    assert command.json("evaluate", trained, "--data", f"text:{few}")["num_images"] == 2


@pytest.mark.slow
def test_predictions_of_sentences_and_of_files_agree(
    trained: Path, command: Command, tmp_path: Path
) -> None:
    texts = [question(number)[0] for number in range(80, 100)]
    labels = [question(number)[1] for number in range(80, 100)]
    given = command.json("predict", trained, "--text", *texts)
    assert [row["text"] for row in given] == texts
    assert given[0]["path"] is None
    wrong = sum(
        row["predictions"][0]["class"] != label for row, label in zip(given, labels, strict=True)
    )
    figures = json.loads((trained / "evaluation.json").read_text())
    assert 100 * wrong / 20 == pytest.approx(figures["top1_error"])

    table = command.json("predict", trained, trained.parent / "questions" / "test.tsv")
    assert [row["predictions"] for row in table] == [row["predictions"] for row in given]
    assert table[3]["path"].endswith("test.tsv[3]")
    plain = tmp_path / "lines.txt"
    plain.write_text("\n".join(texts) + "\n")
    lines = command.json("predict", trained, plain)
    assert [row["predictions"] for row in lines] == [row["predictions"] for row in given]


@pytest.mark.slow
def test_a_hostile_text_cannot_act_on_the_terminal(trained: Path, command: Command) -> None:
    out = command.prints("predict", trained, "--text", "who \x1b]0;x\x07 \u202eis\n\r", "[red]x[/]")
    assert not set(out) & set("\x1b\x07\r\u202e")
    assert "[red]x[/]" in out


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_reported_and_the_rest_goes_on(
    trained: Path, command: Command, tmp_path: Path
) -> None:
    bad = tmp_path / "two.csv"
    bad.write_text("a,b\n1,2\n")
    good = tmp_path / "one.csv"
    good.write_text("text,more\nWho is bob?,1\n ,2\n")
    status, out, _ = command("predict", trained, bad, good, tmp_path / "none.txt", "--json")
    rows = json.loads(out)
    assert status == 1
    assert "no column has a usual name" in rows[0]["error"]
    assert rows[1]["predictions"]
    assert "the row has no text" in rows[2]["error"]
    assert "cannot read" in rows[3]["error"]


@pytest.mark.slow
def test_the_report_shows_sentences_instead_of_pictures(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    wrong = tmp_path / "wrong.tsv"  # labels exchanged, so that all are mistakes
    wrong.write_text(
        "sentence\tlabel\nWhere is <b>rome</b>, the home & of anna?\tperson\n"
        "Who is anna, the friend from oslo?\tplace\n"
    )
    report = tmp_path / "report.html"
    figures = command.json("evaluate", trained, "--data", f"text:{wrong}", "--report", report)
    assert figures["top1_error"] == 100
    text = report.read_text()
    sentence = "Where is &lt;b&gt;rome&lt;/b&gt;, the home &amp; of anna?"
    assert f'<blockquote dir="auto">{sentence}</blockquote>' in text
    assert "2 texts of 2 classes" in text
    assert "each of 16 words" in text


@pytest.mark.slow
def test_an_exported_network_gives_the_logits_of_real_texts(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    pytest.importorskip("onnxruntime")
    written = command.json("export", trained, "--out", tmp_path / "text.onnx")
    assert "'noun': 'texts'" in str(written)
    found = command.json("evaluate", tmp_path / "text.onnx", "--data",
                         f"text:{trained.parent / 'questions'}")  # fmt: skip
    figures = json.loads((trained / "evaluation.json").read_text())
    assert found["top1_error"] == figures["top1_error"]


@pytest.mark.slow
def test_several_labels_of_a_text_are_learned(tmp_path: Path, command: Command) -> None:
    rows = []
    for number in range(90):
        sentence, label = question(number)
        rows.append(f"{sentence}\t{label}{'|rome' if 'rome' in sentence else ''}\n")
    path = tmp_path / "labels.tsv"
    path.write_text("text\tlabels\n" + "".join(rows))
    words = ("train", "--data", f"text:{path}", "--model", NAME, "--epochs", "3", "--threads", "1")
    figures = command.json(*words, "--out", tmp_path / "run", "--quiet")
    assert open_weights(tmp_path / "run").card.task == "multilabel"
    assert figures["num_images"] == 9
    assert "blockquote" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.slow
def test_characters_are_learned_too(tmp_path: Path, command: Command) -> None:
    data = f"text:{write_questions(tmp_path / 'questions', 80, 20)}"
    words = ("train", "--data", data, "--model", NAME, "--epochs", "8", "--lr", "5e-3")
    unit = ("--set", "data.unit=character")
    figures = command.json(*words, *unit, "--out", tmp_path / "run", "--threads", "1", "--quiet")
    assert figures["top1_error"] <= 20  # guessing: 50
    again = command.json("evaluate", tmp_path / "run")
    assert again["signal"]["text"]["unit"] == "character"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "RUN", "--input", "pixels"), "input='pixels' is for images"),
        (("evaluate", "RUN", "--data", "digits"), "the network takes a text of"),
        (("predict", "RUN", "--text", "  "), "--text: a text is empty"),
        (("predict", "RUN"), "predict needs images"),
        (("predict", "RUN", "DATA/test.tsv", "--draw", "OUT"), "--draw needs a network for images"),
        (("train", "--data", "text:DATA", "--weights", "RUN"), "leave out --weights"),
        (("train", "--data", "text:DATA", "--model", "vgg16"), "is for images"),
        (("train", "--data", "text:DATA", "--recipe", "cifar"), "signals have their own recipe"),
        (("train", "--data", "text:DATA", "--set", "augment.mixup=0.2"), "texts have none"),
        (("train", "--data", "text:DATA", "--set", "signal_augment.crop=0.5"), "varies numbers"),
        (("train", "--data", "text:nothing.tsv"), "cannot read"),
        (("train", "--data", "text"), "--data text:FILE"),
        (("convert", "RUN", "OUT.safetensors", "--ndim", "2"), "set both to 1"),
    ],
)
def test_what_does_not_work_for_texts_is_one_message(
    tmp_path: Path, command: Command, trained: Path, words: tuple[str, ...], message: str
) -> None:
    places = {"RUN": trained, "DATA": trained.parent / "questions", "OUT": tmp_path / "out"}
    for name, place in places.items():
        words = tuple(word.replace(name, str(place)) if name in word else word for word in words)
    assert message in " ".join(command.refusal(*words).split())


def test_data_check_tells_length_vocabulary_and_repeated_texts(
    tmp_path: Path, command: Command
) -> None:
    folder = write_questions(tmp_path / "questions")
    with (folder / "test.tsv").open("a") as file:
        file.write(f"{question(0)[0]}\tplace\nzyx\tplace\n")
    status, out, _ = command("data", "check", f"text:{folder}")
    assert status == 1
    assert "62 texts; 2 classes" in out
    assert "text of 16 words, cut or padded" in out
    assert "1 validation texts are also in training, such as test.tsv[20] = train.tsv[0]" in out
    _, out, _ = command("data", "check", f"text:{folder}", "--json")
    found = json.loads(out)
    assert isinstance(found["signal"]["text"]["vocabulary"], int)
    assert 0 < found["unknown_share"] < 20  # zyx, and people who occur once in training
