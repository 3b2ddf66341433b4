from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest

from nmt.data.lines import LONGEST, arriving, decode, opened, read, split, stream
from nmt.errors import RunError, UserError


@pytest.mark.parametrize("other", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_nothing_but_a_newline_ends_a_line(other: str) -> None:
    assert split(f"eins{other}zwei\ndrei\n".encode()) == [f"eins{other}zwei".encode(), b"drei"]


def test_one_carriage_return_before_the_newline_is_dropped() -> None:
    assert split(b"a\r\nb\r\r\n\r\nc\r") == [b"a", b"b\r", b"", b"c"]


@pytest.mark.parametrize(
    ("data", "lines"), [(b"", []), (b"\n", [b""]), (b"a", [b"a"]), (b"a\n", [b"a"]), (b"a\n\n", [b"a", b""])]
)
def test_a_final_newline_does_not_begin_another_line(data: bytes, lines: list[bytes]) -> None:
    assert split(data) == lines


def test_the_byte_order_mark_goes_from_the_first_line_alone(tmp_path: Path) -> None:
    (tmp_path / "bom").write_text("\ufeffeins\n\ufeffzwei\n", encoding="utf-8")
    assert read(tmp_path / "bom").text == ["eins", "\ufeffzwei"]


@pytest.mark.parametrize("name", ["text.gz", "text"])
def test_gzip_is_read_whether_or_not_its_name_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"eins\nzwei\n"))
    assert read(tmp_path / name).text == ["eins", "zwei"]


@pytest.mark.parametrize("data", [gzip.compress(b"eins\n" * 1000)[:-9], b"no gzip at all"])
def test_damaged_gzip_is_an_error_that_names_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "text.gz").write_bytes(data)
    with pytest.raises(UserError, match=r"text\.gz: damaged or truncated"):
        read(tmp_path / "text.gz")


def test_invalid_utf8_is_named_by_line_byte_and_column(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"gut\nschle\xffcht\n")
    with pytest.raises(UserError, match=r"bad:2: invalid UTF-8 \(byte 0xff at column 6\)"):
        read(tmp_path / "bad")


def test_lines_with_invalid_utf8_are_replaced_one_by_one_and_counted(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"gut\nschle\xffcht\n\xc3\n")
    assert read(tmp_path / "bad", errors="replace") == (["gut", "schle\ufffdcht", "\ufffd"], 2)


@pytest.mark.parametrize(("codec", "said"), [("utf-16", "this is UTF-16"), ("utf-16-le", "NUL byte at column 2")])
def test_utf16_is_distinguished_from_utf8(tmp_path: Path, codec: str, said: str) -> None:
    (tmp_path / "wide").write_text("eins\n", encoding=codec)
    with pytest.raises(UserError, match=f"wide:1: {said}"):
        read(tmp_path / "wide")


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "missing")
    with pytest.raises(UserError, match="expected a file, found a folder"):
        read(tmp_path)
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(RunError, match="Permission denied"):
        read(tmp_path / "secret")


def test_decoding_a_line_says_whether_it_was_replaced() -> None:
    assert decode(b"gut") == ("gut", False)
    assert decode(b"\xff") == ("\ufffd", True)
    with pytest.raises(UnicodeDecodeError):
        decode(b"\xff", errors="strict")


def test_lines_come_out_of_a_pipe_while_it_is_still_open() -> None:
    out, into = os.pipe()
    with os.fdopen(out, "rb") as stream:
        lines = arriving(stream)
        os.write(into, b"\xef\xbb\xbfeins\r\nzwei\ndr")
        assert next(lines) == [b"eins", b"zwei"]
        os.write(into, b"ei\n")
        assert next(lines) == [b"drei"]
        os.write(into, b"vier")
        os.close(into)
        assert list(lines) == [[b"vier"]]


def test_arriving_lines_are_the_lines_of_the_whole(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + b"\n".join(b"x" * (length % 70_000) for length in range(0, 400_000, 3_517)) + b"\r\nlast"
    (tmp_path / "text").write_bytes(data)
    with opened(tmp_path / "text") as stream:
        from_file = [line for lines in arriving(stream) for line in lines]
    assert (
        from_file
        == [line for lines in arriving(io.BytesIO(data)) for line in lines]
        == split(data.removeprefix(b"\xef\xbb\xbf"))
    )


def test_an_empty_stream_has_no_lines() -> None:
    assert list(arriving(io.BytesIO())) == []


def test_a_line_that_would_fill_memory_is_named_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"a\nb\n" + bytes(100 * LONGEST) + b"\nc")
    with pytest.raises(UserError, match=rf"{path}:3: a line of more than {LONGEST:,} bytes"):
        list(stream(path, "replace"))
    assert path.stat().st_size < LONGEST


def test_a_line_of_the_longest_length_is_read(tmp_path: Path) -> None:
    data = b"a\n" + b"x" * LONGEST + b"\nb"
    assert [line for lines in arriving(io.BytesIO(data)) for line in lines] == [b"a", b"x" * LONGEST, b"b"]
