"""Figures and tables for a paper: embedded fonts, the width of a column, text as it stands."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_study import made_design_space, made_row, made_rows, made_study, made_times, paper_table3
from nonempty import nonempty
from stored_studies import rows_of, stored_study

from resnext.drawing import paper_style
from resnext.errors import ConfigError, RunError
from resnext.studies.analysis.statistics import Mean
from resnext.studies.report import plots
from resnext.studies.report.figures import draw_figures
from resnext.studies.report.latex import latex_text
from resnext.studies.report.publication import PaperFile, make_files, write_files

_COLUMN_PT = 3.35 * 72
NASTY = r"50 % & a_b #1 ~^ {x} \input{secret} $y$ [2pt] <a> | “q” -- ?` * 猫"


def files_of(name: str) -> dict[str, PaperFile]:
    study = stored_study(name)
    return make_files(study, rows_of(name, study), [])


@pytest.fixture(scope="module")
def table3(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PaperFile]:
    study, rows = paper_table3(tmp_path_factory.mktemp("table3"))
    return make_files(study, rows, made_times(study))


def pdf_of(file: PaperFile) -> bytes:
    assert isinstance(file.content, bytes)
    return file.content


def tex_of(file: PaperFile) -> str:
    assert isinstance(file.content, str)
    return file.content


def test_each_figure_is_a_pdf_and_an_svg_and_each_measure_a_table(
    table3: dict[str, PaperFile],
) -> None:
    stems = [
        *("table3-cardinality", "table3-cardinality-paper", "table3-cardinality-training"),
        *("table3-curves-1", "table3-curves-2", "table3-time"),
    ]
    wanted = [f"{stem}.{ending}" for stem in stems for ending in ("pdf", "svg")]
    assert list(table3) == [*wanted, "table3-table.tex"]
    assert all(file.caption for name, file in table3.items() if not name.endswith(".tex"))


@pytest.mark.parametrize("name", ["residual-fashion-mnist", "paths-fashion-mnist"])
def test_a_study_without_a_common_axis_has_a_figure_too(name: str) -> None:
    assert sum(file.endswith(".pdf") for file in files_of(name)) == 1


def test_pdfs_embed_true_type_fonts_and_fit_a_column(table3: dict[str, PaperFile]) -> None:
    pdfs = [pdf_of(file) for name, file in table3.items() if name.endswith(".pdf")]
    for pdf in nonempty(pdfs):
        assert b"/Type3" not in pdf
        assert b"/FontFile2" in pdf
        (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
        assert float(box[0]) == pytest.approx(_COLUMN_PT)


def test_svgs_need_no_font(table3: dict[str, PaperFile]) -> None:
    svgs = [file for name, file in table3.items() if name.endswith(".svg")]
    for file in nonempty(svgs):
        root = ET.fromstring(file.content)
        assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(_COLUMN_PT)
        assert not root.findall(".//{http://www.w3.org/2000/svg}text")


def test_figures_have_no_title_inside() -> None:
    name = "table3-fashion-mnist"
    study = stored_study(name)
    for figure in nonempty(draw_figures(study, rows_of(name, study))):
        assert [axes.get_title() for axes in figure.drawing.axes] == [""]


def test_the_same_study_gives_the_same_files() -> None:
    assert files_of("paths-fashion-mnist") == files_of("paths-fashion-mnist")


def test_no_label_overlaps_another_or_is_cut_off() -> None:
    names = [f"a design with a very long name, number {number} of many" for number in range(12)]
    with paper_style():
        figure = plots.draw_list([Mean(name, 3, 5.0, 0.1) for name in names], "error, %")
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].get_yticklabels()]
        width, axes_width = figure.bbox.width, figure.axes[0].bbox.width
    assert len(boxes) == 12
    assert all(box.x0 >= 0 and box.x1 <= width for box in boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert axes_width > width / 3


def test_a_table_has_mean_spread_and_number_of_each_design() -> None:
    text = tex_of(files_of("table4-cifar10")["table4-small-cifar10-jpeg-q75-table.tex"])
    row = r"    2x deeper: 23 layers, 1x32d & 1.44 M & 149 M & \textbf{33.15} $\pm$ 0.36 & 5 \\"
    assert row in text.splitlines()
    for command in (r"\toprule", r"\midrule", r"\bottomrule", r"\end{table}"):
        assert text.count(command) == 1
    assert text.startswith("% Needs \\usepackage{booktabs}")
    assert r"\label{tab:table4-small-cifar10-jpeg-q75-table}" in text


@pytest.mark.slow
def test_a_distribution_of_many_designs_has_a_row_a_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resnext.studies.analysis.summary.MAX_IN_TABLE", 3)
    files = make_files(*made_design_space(), [])
    rows = body_of(tex_of(files["design-space-small-cifar10-table.tex"]))
    assert [(cells[0], cells[-1]) for cells in rows] == [
        ("cardinality above 1", "11"),
        ("cardinality 1", "5"),
    ]


def body_of(text: str) -> list[list[str]]:
    """Return the cells of a table; an escaped & separates nothing."""
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    lines = [line.strip() for line in body.strip().splitlines()]
    assert all(line.endswith(r" \\") for line in lines)
    return [re.split(r" (?<!\\)& ", line.removesuffix(r" \\")) for line in lines]


def test_designs_that_have_not_finished_and_those_that_were_stopped_are_marked() -> None:
    study = made_study("abc", seeds=(0, 1))
    rows = made_rows(study, {"a": [5.0, 6.0], "b": [None, None], "c": [4.0, None]})
    rows[-1] = made_row(rows[-1].trial, None, state="pruned")
    text = tex_of(make_files(study, rows, [])["made-table.tex"])
    assert [cells[3:] for cells in body_of(text)] == [
        [r"\textbf{5.50} $\pm$ 0.71", "2"],
        ["--", "0"],
        ["4.00", r"1$^\dagger$"],
    ]
    assert "A dagger marks" in text


def test_names_of_people_are_text_in_latex_too() -> None:
    study = made_study((NASTY, "b\u2028c"), seeds=(0, 1))
    rows = made_rows(study, {NASTY: [5.0, 6.0], "b\u2028c": [5.5, 6.5]})
    text = tex_of(make_files(study, rows, [])["made-table.tex"])
    rows_found = body_of(text)
    assert [len(cells) for cells in rows_found] == [5, 5]
    assert rows_found[0][0] == (
        r"50 \% \& a\_b \#1 \textasciitilde{}\textasciicircum{} \{x\} \textbackslash{}input\{secret"
        r"\} \$y\$ {[}2pt{]} \textless{}a\textgreater{} \textbar{} “q” -{}- ?{`} {*} 猫"
    )
    assert rows_found[1][0] == r"b\textbackslash{}u2028c"
    assert "compile with XeLaTeX or LuaLaTeX" in text
    assert r"p{0.4\linewidth}" in text


@given(st.text(max_size=40))
@example("-\\-{-[-<-")
def test_no_text_can_leave_its_cell(text: str) -> None:
    escaped = latex_text(text)
    assert "\n" not in escaped
    commands = (
        r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}"
    )
    # a space for each, so that what stood around it does not meet
    rest = re.sub(commands + r"|\\[{}$&#_%]|\{[\[\]*`]\}|-\{\}(?=-)", " ", escaped)
    assert not re.search(r"[\\{}$&#_%~^\"<>|\[\]*`]|--", rest)


def test_files_that_exist_are_replaced_only_if_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "paper" / "figures"
    files = {"a.pdf": PaperFile(b"1", "caption"), "b.tex": PaperFile("2")}
    assert write_files(files, folder, force=False) == [folder / "a.pdf", folder / "b.tex"]
    (folder / "b.tex").unlink()
    with pytest.raises(ConfigError, match=r"a\.pdf exists; choose another folder or add --force"):
        write_files(files, folder, force=False)
    assert not (folder / "b.tex").exists()
    write_files({**files, "a.pdf": PaperFile(b"3")}, folder, force=True)
    assert (folder / "a.pdf").read_bytes() == b"3"
    assert sorted(path.name for path in folder.iterdir()) == ["a.pdf", "b.tex"]


def test_a_file_is_no_folder_for_figures(tmp_path: Path) -> None:
    place = tmp_path / "figures"
    place.touch()
    with pytest.raises(ConfigError, match="is a file; give a folder"):
        write_files({"a": PaperFile("")}, place, force=True)
    with pytest.raises(RunError, match="cannot write the figures"):
        write_files({"a": PaperFile("")}, place / "deeper", force=True)
