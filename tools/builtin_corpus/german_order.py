"""German word order: an abstract clause as a string, with commas as words until the sentence is finished."""

from __future__ import annotations

from typing import Final

from tools.builtin_corpus.clauses import NOT, REFLEXIVE, SUBJECT, Clause, Order, Part, Tense
from tools.builtin_corpus.german_forms import joined

PRESENT: Final = {
    "haben": ("habe", "hast", "hat", "haben", "habt", "haben"),
    "sein": ("bin", "bist", "ist", "sind", "seid", "sind"),
    "werden": ("werde", "wirst", "wird", "werden", "werdet", "werden"),
}
PRETERITE: Final = {
    "haben": ("hatte", "hattest", "hatte", "hatten", "hattet", "hatten"),
    "sein": ("war", "warst", "war", "waren", "wart", "waren"),
    "werden": ("wurde", "wurdest", "wurde", "wurden", "wurdet", "wurden"),
}
SUBJECT_PRONOUNS: Final = frozenset({"I", "you", "he", "she", "it", "we", "they"})


def _passive(clause: Clause) -> tuple[str, str, str]:
    person, participle = clause.subject.person, clause.verb.participle
    if clause.modal:
        return clause.modal.present[person], f"{participle} werden", ""
    if clause.tense is Tense.FUTURE:
        return PRESENT["werden"][person], f"{participle} werden", ""
    return (PRESENT if clause.tense is Tense.PRESENT else PRETERITE)["werden"][person], participle, ""


def _verbs(clause: Clause) -> tuple[str, str, str]:
    """The finite verb, the rest of the right bracket, and the separable prefix."""
    verb, tense, person = clause.verb, clause.tense, clause.subject.person
    if clause.command:
        return verb.imperative, "", verb.prefix
    if clause.passive:
        return _passive(clause)
    if clause.modal:
        past = tense in (Tense.PAST, Tense.PRETERITE)
        return (clause.modal.preterite if past else clause.modal.present)[person], verb.prefix + verb.infinitive, ""
    if tense is Tense.FUTURE:
        return PRESENT["werden"][person], verb.prefix + verb.infinitive, ""
    if tense is Tense.PLUPERFECT:
        return PRETERITE[verb.auxiliary][person], verb.participle, ""
    if tense is Tense.PAST and verb.infinitive not in ("sein", "haben"):
        return PRESENT[verb.auxiliary][person], verb.participle, ""
    return (verb.present if tense is Tense.PRESENT else verb.preterite)[person], "", verb.prefix


def _middle(clause: Clause, subject: bool, inverted: bool = False) -> list[Part]:
    parts = [part for part in clause.parts if part is not clause.front]
    if clause.nicht:
        parts.append(Part("nicht", "", NOT, 0))
    if clause.reflexive:
        early = inverted and subject and clause.subject.english not in SUBJECT_PRONOUNS
        parts.append(Part(clause.reflexive, "", SUBJECT - 1 if early else REFLEXIVE, 0))
    if subject and clause.subject.german:
        parts.append(Part(clause.subject.german, "", clause.subject.rank, 0, clause.subject.extraposed))
    parts.sort(key=lambda part: part.rank)
    return parts


def _zu(clause: Clause) -> str:
    prefix, infinitive = clause.verb.prefix, clause.verb.infinitive
    return (
        f"{prefix}zu {infinitive}"
        if prefix.endswith(" ")
        else f"{prefix}zu{infinitive}"
        if prefix
        else f"zu {infinitive}"
    )


def _field(parts: list[Part], bracket: bool) -> tuple[str, str]:
    """The middle field, and the relative clause that waits until after the right bracket."""
    if not parts:
        return "", ""
    late = parts[-1].extraposed if bracket else ""
    words = [part.german + (part.extraposed if part is not parts[-1] or not late else "") for part in parts]
    return joined(words), late


def german(clause: Clause, order: Order, subject: bool = True) -> str:
    """The clause in an order; without its subject where an earlier clause has said it."""
    finite, rest, prefix = _verbs(clause)
    lead = clause.lead[0]
    if order in (Order.INFINITIVE, Order.GERUND):
        middle, late = _field(_middle(clause, False), True)
        words = [middle, _zu(clause)]
    elif order is Order.FINAL:
        middle, late = _field(_middle(clause, subject), True)
        words = [lead, middle, rest, prefix + finite]
    else:
        opening = lead or (
            clause.front.german + clause.front.extraposed if clause.front and order is Order.SECOND else ""
        )
        fronted = order is Order.SECOND and subject and not opening
        if fronted:
            opening = clause.subject.german + clause.subject.extraposed
        middle, late = _field(_middle(clause, subject and not fronted, True), bool(rest or prefix))
        words = [opening, finite, middle, rest, prefix.rstrip()]
    return joined([*words, late.strip(), *(tail.german for tail in clause.tails)])
