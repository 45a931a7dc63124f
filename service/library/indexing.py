"""What is made of a benchmark's text so that it is found again: words, passages with their vectors, fingerprints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from service import fingerprints, passages
from service.encode import Encoder, Floats, Static
from service.fingerprints import Prints
from service.model import Submission
from service.text import words as count

_LONGEST = 64  # characters of a word that is kept
_MOST = 32  # places of one word that are kept: more make no difference to the ranking
_LAST = 16383  # the last place that a tsvector knows
_WHOLE, _NAME, _TEXT = "A", "B", "D"  # weights: title, organisation, text


@dataclass(frozen=True, slots=True)
class Indexed:
    """All of it for one text."""

    text: str
    sections: list[dict[str, Any]]  # key, heading, start, end
    words: int
    normal: bytes  # fingerprints.Normal.to_bytes
    spans: list[tuple[int, int]]  # passages
    vectors: Floats  # a row for each passage
    prints: Prints


@dataclass(frozen=True, slots=True)
class Indexer:
    """`encoder` makes the passages' vectors; the words are those of our `own` model, which always comes with the program."""

    encoder: Encoder
    own: Static

    @property
    def version(self) -> str:
        """What a benchmark's `model` says when its index is up to date."""
        return self.encoder.version if self.encoder is self.own else f"{self.encoder.version}+{self.own.version}"

    def index(self, submission: Submission, spans: list[tuple[int, int]] | None = None) -> Indexed:
        """All that is kept of a text beside its words; `spans` where it has been cut before."""
        document = submission.document
        text = document.text
        normal = fingerprints.normalised(text)
        spans = spans or passages.cut(text, submission.sections, document.blocks)
        return Indexed(
            text=text,
            sections=[{"key": each.key, "heading": each.heading, "start": each.start, "end": each.end} for each in submission.sections],
            words=count(text),
            normal=normal.to_bytes(),
            spans=spans,
            vectors=self.encoder.encode([text[start:end] for start, end in spans]),
            prints=fingerprints.winnow(normal),
        )

    def search_vector(self, *, title: str, organisation: str, text: str) -> str:
        """The literal of a tsvector: every word with its places, those of the title weighing most."""
        places: dict[str, list[str]] = defaultdict(list)
        at = 0
        for part, weight in ((title, _WHOLE), (organisation, _NAME), (text, _TEXT)):
            for word in self._words(part):
                at += 1
                place = f"{at}{weight}" if at < _LAST else f"{_LAST}{weight}"
                for each in _parts(self.own, word):
                    found = places[each]
                    if len(found) < _MOST:
                        found.append(place)
        return " ".join([f"{quoted(word)}:{','.join(found)}" for word, found in places.items()])

    def _words(self, text: str) -> list[str]:
        """As `Static.tokens` gives them, in half the time: where they stand is not asked."""
        found: list[str] = self.own.tokenizer.encode(text.encode("utf8", "replace").decode("utf8"), add_special_tokens=False).tokens
        return found

    def query_words(self, said: str) -> list[str]:
        """The words of a question, each once; blanks and marks are none."""
        return list(dict.fromkeys(word[:_LONGEST] for word in self._words(said)))


def quoted(word: str) -> str:
    """As a lexeme in the literal of a tsvector or tsquery."""
    return f"'{word}'" if word.isalnum() else "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


@lru_cache(maxsize=1)
def _vocabulary(own: Static) -> frozenset[str]:
    return frozenset(own.tokenizer.get_vocab())


@lru_cache(maxsize=65536)
def _parts(own: Static, word: str) -> tuple[str, ...]:
    """The word and the known words inside it, so that 质量管理体系 is found by 质量 and by 管理体系."""
    return (
        tuple(dict.fromkeys((word[:_LONGEST], *_inside(_vocabulary(own), word))))
        if len(word) > 2 and not word.isascii()
        else (word[:_LONGEST],)
    )


def _inside(known: frozenset[str], word: str) -> Iterator[str]:
    for start in range(len(word) - 1):
        for end in range(start + 2, len(word) + 1):
            if word[start:end] in known:
                yield word[start:end]
