from __future__ import annotations

from nmt.documents.gettext import GettextDocument
from nmt.inference.translator import Translation
from tests.documents.aligned import uppercase

CATALOGUE = """# Übersetzer
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#: a.c:1
#, c-format
msgctxt "Menü"
msgid "Öffne \\"%s\\" jetzt"
msgstr ""

msgid "schon da"
msgstr "there already"

#, fuzzy
#| msgid "alt"
msgid "unsicher"
msgstr "unsure"

#, c-format
msgid "ein Hund"
msgid_plural "%d Hunde"
msgstr[0] ""
msgstr[1] ""

msgid ""
"erste Zeile\\n"
"zweite <b>Zeile</b>\\n"
msgstr ""

#~ msgid "veraltet"
#~ msgstr ""
"""


def uppercase_catalogue(text: str) -> str:
    document = GettextDocument(text)
    return document.rebuilt([uppercase(block) for block in document.blocks])


def test_only_messages_without_a_translation_get_one() -> None:
    expected = CATALOGUE
    for message, translation in (
        ('jetzt"\nmsgstr ""', 'jetzt"\nmsgstr "ÖFFNE \\"%s\\" JETZT"'),
        ('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "EIN HUND"\nmsgstr[1] "%d HUNDE"'),
        ('</b>\\n"\nmsgstr ""', '</b>\\n"\nmsgstr ""\n"ERSTE ZEILE\\n"\n"ZWEITE <b>ZEILE</b>\\n"'),
    ):
        assert message in expected
        expected = expected.replace(message, translation)
    assert uppercase_catalogue(CATALOGUE) == expected


def test_a_placeholder_is_never_lost() -> None:
    document = GettextDocument('msgid "%(n)d von {name}: ${x} und %1$s"\nmsgstr ""\n')
    found = document.rebuilt([Translation(document.blocks[0], "of: and")])
    assert all(each in found.splitlines()[1] for each in ("%(n)d", "{name}", "${x}", "%1$s"))


def test_tabs_stay_where_they_are_and_escaped() -> None:
    text = 'msgid "\\tName:\\tein Hund\\r\\n"\nmsgstr ""\n'
    document = GettextDocument(text)
    assert document.blocks == ["Name:", "ein Hund"]
    assert uppercase_catalogue(text) == text.replace('msgstr ""', 'msgstr "\\tNAME:\\tEIN HUND\\r\\n"')


def test_a_translation_cannot_end_its_string() -> None:
    document = GettextDocument('msgid "a"\nmsgstr ""\n')
    assert document.rebuilt([Translation("a", 'b" \\')]) == 'msgid "a"\nmsgstr "b\\" \\\\"\n'


def test_a_catalogue_without_messages_stays() -> None:
    for text in ("", "\n", "# nichts\n", 'msgid ""\nmsgstr ""\n"a: b\\n"', 'msgid "%s"\nmsgstr ""'):
        assert uppercase_catalogue(text) in (text, text.replace('"%s"\nmsgstr ""', '"%s"\nmsgstr "%s"'))
