import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.untrusted.names import check_file_name, check_path, check_relative_path


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "/abs", "a/b", "a\\b", "a\0", "a\n", "\x1b[2J", "a" * 256, None, 3],
)
def test_a_name_that_leaves_its_folder_or_acts_on_a_terminal_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        check_file_name(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["train", "a.b", "...", "-x", "photo 1.jpg", "ä", "犬"])
def test_an_ordinary_name_is_returned(name: str) -> None:
    assert check_file_name(name) == name
    assert check_relative_path(f"{name}/{name}") == f"{name}/{name}"


@given(st.text(alphabet=st.sampled_from("a./\\\0"), max_size=12))
def test_an_accepted_path_stays_below_its_folder(text: str) -> None:
    try:
        path = check_relative_path(text)
    except ValueError:
        return
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a\0b", "NUL"),
        ("a/" * 3000, "longer than 4,095 bytes"),
        ("a/" + "\u00e4" * 128 + "/b", "longer than 255 bytes"),
    ],
)
def test_a_path_that_the_system_cannot_take_is_refused(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_path(path)


def test_a_path_need_not_be_text() -> None:
    assert check_path("/photos/caf\udce9.jpg") == "/photos/caf\udce9.jpg"
