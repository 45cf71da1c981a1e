from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_videos import CODECS, moving_square, numbered, write_frames, write_video

from resnext.data.decode import video
from resnext.data.decode.video import probe_video, read_frames
from resnext.errors import DataError

pytest.importorskip("av")


@pytest.mark.parametrize("suffix", list(CODECS))
def test_every_format_gives_the_frames_that_were_asked_for(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", numbered(60))
    facts = probe_video(path)
    assert (facts.num_frames, facts.width, facts.height) == (60, 32, 32)
    for numbers in ([0], [0, 1, 2], [7, 20, 59], [30, 34, 38, 42]):
        found = read_frames(path, numbers, 32)
        assert found.shape == (len(numbers), 32, 32, 3)
        # frame i has the brightness 2 i; codecs, and the palette of a GIF, change it a little
        brightness = found.mean(axis=(1, 2, 3))
        tolerance = 20 if suffix == ".gif" else 3
        np.testing.assert_allclose(brightness, 2 * np.array(numbers), atol=tolerance)


def test_frames_are_those_of_a_full_decoding_bit_for_bit(tmp_path: Path) -> None:
    import av

    path = write_video(tmp_path / "a.mp4", moving_square(50, is_down=True), gop=10)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for start in (0, 3, 19, 20, 41):
        numbers = list(range(start, 50, 3))
        assert np.array_equal(read_frames(path, numbers, 32), np.stack(frames)[numbers])


def test_frames_before_the_key_frame_and_behind_the_last_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(100), gop=10)
    decoded = []
    original = video._decoded

    def counting(*arguments: object) -> object:
        for frame in original(*arguments):  # type: ignore[arg-type]
            decoded.append(frame)
            yield frame

    monkeypatch.setattr(video, "_decoded", counting)
    read_frames(path, [52, 54], 32)
    assert len(decoded) <= 6  # from the key frame at 50 on, and one that the codec holds back


def test_the_last_frame_is_repeated_behind_the_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(10))
    found = read_frames(path, [8, 9, 12, 30], 32)
    assert np.array_equal(found[1], found[2])
    assert np.array_equal(found[1], found[3])
    assert not np.array_equal(found[0], found[1])


def test_frames_are_resized_to_their_short_side(tmp_path: Path) -> None:
    frames = np.full((5, 40, 64, 3), 100, dtype=np.uint8)
    assert read_frames(write_video(tmp_path / "a.mp4", frames), [0], 20).shape == (1, 20, 32, 3)
    assert read_frames(write_frames(tmp_path / "b", frames), [0], 20).shape == (1, 20, 32, 3)


def test_videos_of_a_camera_on_its_side_are_upright(tmp_path: Path) -> None:
    frames = np.full((5, 40, 64, 3), 40, dtype=np.uint8)
    frames[:, :, :32] = 220  # left half
    plain = read_frames(write_video(tmp_path / "a.mp4", frames), [2], 40)[0]
    turned = read_frames(write_video(tmp_path / "b.mp4", frames, rotation=90), [2], 40)[0]
    assert turned.shape == (64, 40, 3)
    assert np.array_equal(turned, np.rot90(plain))  # counterclockwise, as FFmpeg counts


def test_a_folder_of_frames_is_a_video(tmp_path: Path) -> None:
    frames = numbered(12)
    folder = write_frames(tmp_path / "a", frames)
    (folder / "notes.txt").write_text("x")
    assert probe_video(folder).num_frames == 12
    assert np.array_equal(read_frames(folder, [0, 5, 11, 20], 32), frames[[0, 5, 11, 11]])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.mp4", b"", "not a readable video"),
        ("a.mp4", b"not a video at all" * 100, "not a readable video"),
        ("a.gif", b"GIF89a", "not a readable video"),
        ("a.mp4", b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", "not a readable video"),
        ("a.avi", b"ffconcat version 1.0\nfile /etc/passwd\n", "not a readable video"),
        ("a.txt", b"text", "not a video by its name"),
    ],
)
def test_what_is_no_video_is_one_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        probe_video(path)
    with pytest.raises(DataError, match=words):
        read_frames(path, [0], 32)


def test_a_missing_file_an_empty_folder_and_a_cut_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        probe_video(tmp_path / "none.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="0 frames"):
        probe_video(tmp_path / "empty")
    path = write_video(tmp_path / "a.avi", numbered(40))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="not a readable video"):
        read_frames(path, [0, 4, 39], 32)


def test_large_frames_and_long_videos_are_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(10))
    monkeypatch.setattr("resnext.data.decode.video_limits.MAX_FRAME_PIXELS", 1000)
    with pytest.raises(DataError, match=r"frames of 32 x 32 pixels"):
        read_frames(path, [0], 32)
    monkeypatch.undo()
    monkeypatch.setattr("resnext.data.decode.video_limits.MAX_FRAMES", 9)
    with pytest.raises(DataError, match="10 frames; accepted are 1 to 9"):
        read_frames(path, [0], 32)
