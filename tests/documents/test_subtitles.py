from __future__ import annotations

from nmt.documents.subtitles import SubtitleDocument
from nmt.inference.translator import Translation
from tests.documents.aligned import uppercase

FILM = """1
00:00:01,000 --> 00:00:02,500
{\\an8}Ein Mann steht
auf einer <i>Leiter</i>.

2
00:00:03,000 --> 00:00:04,000 X1:10 X2:20
- Zwei Hunde?
- <font color="#fff">Ja!</font>

3
00:00:05,000 --> 00:00:06,000

4
00:00:07,000 --> 00:00:08,000
♪
"""


def uppercase_subtitles(text: str) -> str:
    document = SubtitleDocument(text)
    return document.rebuilt([uppercase(block) for block in document.blocks])


def test_numbers_times_tags_and_speakers_are_kept() -> None:
    expected = FILM.replace("Ein Mann steht\nauf einer", "EIN MANN\nSTEHT AUF EINER").replace("Leiter", "LEITER")
    expected = expected.replace("Zwei Hunde", "ZWEI HUNDE").replace("Ja", "JA")
    assert "".join(uppercase_subtitles(FILM).split()) == "".join(expected.split())
    assert [line for line in uppercase_subtitles(FILM).split("\n") if "-->" in line or line.isdigit()] == [
        line for line in FILM.split("\n") if "-->" in line or line.isdigit()
    ]
    assert uppercase_subtitles(FILM).count("\n") == FILM.count("\n")


def test_a_cue_is_one_sentence_and_a_speaker_another() -> None:
    assert SubtitleDocument(FILM).blocks == ["Ein Mann steht auf einer Leiter.", "Zwei Hunde?", "Ja!"]


def test_a_cue_has_as_many_lines_as_before() -> None:
    cue = "1\n00:00:01,000 --> 00:00:02,000\n<font color=red>eins zwei</font>\ndrei\n"
    document = SubtitleDocument(cue)
    found = document.rebuilt([Translation(document.blocks[0], "one two three four five six")])
    assert found == cue.replace(
        "<font color=red>eins zwei</font>\ndrei", "<font color=red>one two\nthree four</font> five six"
    ) or found.count("\n") == cue.count("\n")
    assert "<font color=red>" in found
    assert "</font>" in found


def test_text_between_cues_and_blank_files_stay() -> None:
    for text in ("", "\n", "WEBVTT kopf\n\nein Text ohne Zeit\n"):
        assert uppercase_subtitles(text) == text
