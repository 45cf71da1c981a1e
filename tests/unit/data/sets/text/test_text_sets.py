from __future__ import annotations

from pathlib import Path

import pytest
from made_texts import question, write_questions

from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.data.signals.text_split import TextSplit
from resnext.data.split import DataSet
from resnext.errors import ConfigError, DataError


def _load(path: Path, **settings: object) -> DataSet:
    return load_data(DataConfig(name="text", root=path, **settings))


def _texts(data: DataSet) -> tuple[str, ...]:
    assert isinstance(data.train, TextSplit)
    return data.train.texts


def test_a_folder_has_its_splits_and_the_vocabulary_is_that_of_training(tmp_path: Path) -> None:
    folder = write_questions(tmp_path / "q")
    (folder / "dev.tsv").write_text("sentence\tlabel\nnever seen\tplace\n")
    data = _load(folder)
    assert (len(data.train), len(data.val)) == (40, 1)
    assert data.test is not None
    assert len(data.test) == 20
    assert data.info.classes == ("person", "place")
    signal = data.info.signal
    assert signal is not None
    assert signal.text is not None
    assert "never" not in signal.text.vocabulary
    assert isinstance(data.val, TextSplit)
    assert data.val.values_ncx[0, 0, :3].tolist() == [1, 1, 0]
    assert data.val.name(0) == "dev.tsv[0]"
    assert data.val.text(0) == "never seen"


def test_the_test_split_validates_where_there_is_no_other(tmp_path: Path) -> None:
    data = _load(write_questions(tmp_path) / "train.tsv")
    assert (len(data.train), len(data.val), data.test) == (40, 20, None)
    assert data.train.targets_n[:4].tolist() == [1, 0, 1, 0]


def test_without_splits_a_tenth_of_each_class_validates_and_equal_texts_stay_together(
    tmp_path: Path,
) -> None:
    rows = "".join(f"text {number % 100},{number % 2}\n" for number in range(200))
    (tmp_path / "all.csv").write_text(f"text,label\n{rows}")
    data = _load(tmp_path / "all.csv")
    assert (len(data.train), len(data.val)) == (180, 20)
    assert isinstance(data.val, TextSplit)
    assert not set(_texts(data)) & set(data.val.texts)
    whole = _load(tmp_path / "all.csv", val_fraction=1.0)
    assert (len(whole.train), len(whole.val)) == (0, 200)


def test_a_column_tells_the_splits(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(
        "text,label,split\na b,x,train\na c,y,train\na b,x,validation\nc,y,test\n"
    )
    data = _load(tmp_path / "all.csv", min_count=1)
    assert (len(data.train), len(data.val)) == (2, 1)
    assert data.test is not None


def test_quotation_marks_of_a_tsv_are_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(
        'text\tlabel\n"a` half\tx\n"she said ""yes"""\ty\nwhat\u2028ever "b" c\tx\nplain\ty\n'
        "more\tx\nmore\ty\n"
    )
    data = _load(path, min_count=1, val_fraction=1.0)
    assert isinstance(data.val, TextSplit)
    assert data.val.texts[:3] == ('"a` half', 'she said "yes"', 'what ever "b" c')


def test_several_labels_of_a_text(tmp_path: Path) -> None:
    rows = "".join(f"word{n % 3} word{n % 2},{'a|b' if n % 3 else 'b'}\n" for n in range(30))
    (tmp_path / "all.csv").write_text(f"text,labels\n{rows}")
    data = _load(tmp_path / "all.csv")
    assert data.info.targets == "labels"
    assert data.info.classes == ("a", "b")
    assert len(data.train) + len(data.val) == 30


def test_parquet_with_the_hubs_class_names(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import json

    import pyarrow.parquet as pq

    names = {"info": {"features": {"label": {"names": ["yes", "no"]}}}}
    table = pa.table({"text": ["good good", "bad bad"] * 10, "label": [0, 1] * 10})
    table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data" / "train-00000-of-00001.parquet")
    pq.write_table(table, tmp_path / "data" / "test-00000-of-00001.parquet")
    data = _load(tmp_path)
    assert data.info.classes == ("yes", "no")
    assert data.train.targets_n[:2].tolist() == [0, 1]


def test_a_test_file_without_labels_is_left_out(tmp_path: Path) -> None:
    folder = write_questions(tmp_path)
    (folder / "dev.tsv").write_text("sentence\tlabel\nWhere is rome\tplace\n")
    (folder / "test.tsv").write_text("index\tsentence\n0\tWhere is rome\n")
    assert _load(folder).test is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.tsv", b"text\tlabel\n", "0 rows below its first one"),
        ("a.tsv", b"words\tlabel\na\tb\n", "data.text_column=NAME"),
        ("a.tsv", b"text\tkind of\na\tb\n", "data.label_column=NAME"),
        ("a.tsv", b"text\ttext\na\tb\n", "two columns are called 'text'"),
        ("a.tsv", b"text\tlabel\ncaf\xe9\tb\n", "not UTF-8 text .byte 14.; convert it"),
        ("a.tsv", b"text\tlabel\na\tx\na\tx\n", "all texts are of the class 'x'"),
        ("a.tsv", b"text\tlabel\n\t\n \tx\n", "no row has a text and a label"),
        ("a.csv", b'text,label\n"open,b\n', "unexpected end of data"),
        ("a.doc", b"text", "not a table of texts by its name"),
    ],
)
def test_what_is_no_set_of_texts_is_one_message(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        _load(path)


def test_a_folder_without_training_texts_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("text\tlabel\na\tx\n")
    with pytest.raises(DataError, match="has no table called train"):
        _load(tmp_path)
    (tmp_path / "train.tsv").write_text("text\tlabel\na\tx\n")
    (tmp_path / "train.csv").write_text("text,label\na,x\n")
    with pytest.raises(DataError, match="both look like the train split"):
        _load(tmp_path)
    with pytest.raises(DataError, match="cannot read"):
        _load(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "series", "unit": "character"}, "unit is for name='text'"),
        ({"name": "volume", "length": 3}, "length is for name='series' and name='text'"),
        ({"name": "text", "fit": "pad"}, "fit is for name='series'"),
        ({"name": "text", "image_size_px": 3}, "the size of text is length"),
        ({"name": "text", "unit": "syllable"}, "unit"),
        ({"name": "text", "vocabulary": 0}, "vocabulary"),
    ],
)
def test_settings_of_other_data_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DataConfig(root=Path("x"), **settings)
    with pytest.raises(ConfigError, match="--data text:FILE"):
        DataConfig(name="text")


def test_choosing_and_joining_keep_texts_with_their_tokens(tmp_path: Path) -> None:
    data = _load(write_questions(tmp_path))
    train = data.train
    assert isinstance(train, TextSplit)
    import torch

    part = train.choose(torch.tensor([5, 2]))
    joined = part.join([train.choose(torch.tensor([0]))])
    assert joined.texts == tuple(question(number)[0] for number in (5, 2, 0))
    assert joined.values_ncx.equal(train.values_ncx[[5, 2, 0]])
    assert joined.name(0) == "train.tsv[5]"


def test_a_test_table_without_labels_is_left_out_though_no_other_precedes_it(
    tmp_path: Path,
) -> None:
    folder = write_questions(tmp_path)
    (folder / "dev.tsv").unlink(missing_ok=True)
    (folder / "test.tsv").write_text("index\tsentence\n0\tWhere is rome\n")
    data = _load(folder)
    assert data.test is None
    assert len(data.val)


def _write_flags(path: Path, rows: list[str]) -> None:
    path.write_text("text,red,ripe\n" + "".join(f"an apple {row}\n" for row in rows))


def test_a_label_may_apply_to_no_text_of_a_split(tmp_path: Path) -> None:
    _write_flags(tmp_path / "train.csv", ["one,1,0", "two,0,1", "three,1,1"])
    _write_flags(tmp_path / "dev.csv", ["four,1,0", "five,0,0"])
    data = _load(tmp_path, min_count=1)
    assert data.info.classes == ("red", "ripe")
    assert data.val.targets_n.tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("row", "settings", "reason"),
    [
        ("four,-1,-1", {}, "has no label"),
        ("four,maybe,1", {"label_column": ("red", "ripe")}, "'red' is 'maybe'"),
        ("four,n/a,1", {"label_column": "red", "targets": "number"}, "which is not a number"),
    ],
)
def test_a_text_whose_labels_cannot_be_used_is_left_out(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    row: str,
    settings: dict[str, object],
    reason: str,
) -> None:
    path = tmp_path / "apples.csv"
    _write_flags(path, ["one,1,0", row, "two,0,1", "three,1,1", "five,0,0"])
    data = _load(path, min_count=1, **settings)
    assert len(data.train) + len(data.val) == 4
    assert "left out 1 of 5 rows: text apples.csv[1]" in caplog.text
    assert reason in caplog.text
