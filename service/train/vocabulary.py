"""The embedding's vocabulary and its whole tokenisation as one `tokenizers.Tokenizer`.

A Unigram model whose scores are log frequencies takes the most probable path, which is jieba's own (without its model of unknown words);
characters are words too, so that what no word covers falls to them. Text is NFKC and lower case; runs of known Chinese characters, Latin
letters, Greek letters and digits are cut, all else (marks, blanks, emoji, the rarest characters) is left out. So row 0, `<unk>`, is never
met: loaders that count it in the mean and loaders that do not give the same vectors.
"""

from __future__ import annotations

import csv
import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = f"[{HAN}]+|[a-z]+|[0-9]+|[α-ω]+"
_RUN = re.compile(_RUNS)
_ONLY_HAN = re.compile(f"[{HAN}]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789αβγδεζηθικλμνξοπρστυφχψω"
_UNKNOWN = "<unk>"
_WORST = -30.0  # log probability of an unknown character: below every word
_PAIR = 11.0  # above the worst: two letters or figures are likelier as a pair than apart, any word likelier than pairs
_YEARS = range(1900, 2050)
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Word:
    """What jieba's dictionary says of a word: how often it stands in the dictionary's own (everyday) corpus, and its part of speech."""

    count: int
    pos: str


def fold(text: str) -> str:
    """NFKC, lower case: as the tokenizer sees it."""
    return unicodedata.normalize("NFKC", text).lower()


def dictionary() -> dict[str, Word]:
    """Jieba's dictionary (MIT licence), read as a file: 349,046 lines of word, count, part of speech. jieba itself is not imported."""
    spec = find_spec("jieba")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("jieba")
    found: dict[str, Word] = {}
    with (Path(spec.origin).parent / "dict.txt").open(encoding="utf8") as file:
        for line in file:
            word, count, pos = line.rstrip("\n").rsplit(" ", 2)
            word = fold(word).strip()
            before = found.get(word)
            found[word] = Word(int(count) + (before.count if before else 0), before.pos if before else pos)
    return found


def term_names(path: Path) -> tuple[str, ...]:
    """Terms and aliases of the file (columns `term` and `aliases`, parted by |), folded, sorted."""
    with path.open(encoding="utf8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        names = {fold(name).strip() for row in rows for name in (row["term"], *(row["aliases"] or "").split("|"))}
    return tuple(sorted(names - {""}))


def build(scores: Sequence[tuple[str, float]]) -> Tokenizer:
    """The tokenizer of these words and log probabilities, `<unk>` first."""
    tokenizer = Tokenizer(models.Unigram(list(scores), unk_id=0, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    known = _ranges(word for word, _ in scores[1:] if len(word) == 1 and _ONLY_HAN.fullmatch(word))
    runs = Regex(f"[{known}]+|[a-z]+|[0-9]+|[α-ω]+" if known else "[a-z]+|[0-9]+|[α-ω]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(runs, behavior="removed", invert=True)
    return tokenizer


def _ranges(characters: Iterable[str]) -> str:
    """The inside of a character class: neighbouring code points as ranges."""
    found: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in found)


def batches(tokenizer: Tokenizer, lines: Sequence[str]) -> Iterator[list[int]]:
    """The ids of each line, in order."""
    source = iter(lines)
    while batch := list(islice(source, _BATCH)):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            yield encoding.ids


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`words` (n): row -> word, `<unk>` first. The last rows are terms that the dictionary lacks; `parts` gives their words' rows."""

    words: tuple[str, ...]
    plain: Tokenizer  # without the compounds: what the word vectors are counted with
    tokenizer: Tokenizer  # with them
    parts: Mapping[int, tuple[int, ...]]


def choose(lines: Sequence[str], known: Mapping[str, Word], terms: Sequence[str], *, rows: int, latin: int) -> Vocabulary:
    """At most `rows` rows: usual characters, letters, the field's terms, `latin` Latin words and numbers, then the most frequent words.

    A word's frequency is its share of jieba's counts plus its share of the corpus.
    """
    total = sum(word.count for word in known.values())
    everything = _everything(lines, known, total)
    full = build(everything)
    counts: Counter[int] = Counter()
    for ids in batches(full, lines):
        counts.update(ids)
    seen = sum(counts.values()) or 1
    share = {word: (known[word].count if word in known else 0) / total + counts[row] / seen for row, (word, _) in enumerate(everything)}
    single = [w for w, _ in everything[1:] if len(w) == 1 and (w in _LETTERS or share[w] * seen >= 5 or share[w] * total >= 20)]
    field = {run for term in terms for run in _RUN.findall(term) if len(run) > 1}
    ranked = sorted((w for w, _ in everything[1:] if len(w) > 1), key=lambda w: (-share[w], w))
    compounds = sorted(run for run in field if _ONLY_HAN.fullmatch(run) and run not in share)
    foreign = (
        sorted(run for run in field if not _ONLY_HAN.fullmatch(run))
        + [w for w in ranked if not _ONLY_HAN.fullmatch(w) and w not in field][:latin]
    )
    ours = [w for w in ranked if w in field and _ONLY_HAN.fullmatch(w)]
    taken = {*single, *foreign, *ours, *_pieces()}
    room = rows - 1 - len(taken) - len(compounds)
    taken.update(islice((w for w in ranked if w not in taken and _ONLY_HAN.fullmatch(w)), max(room, 0)))
    score = dict(everything)
    plain = [(_UNKNOWN, _WORST), *((w, score.get(w, -math.log(total))) for w in sorted(taken))]
    return _with_compounds(plain, compounds)


def _pieces() -> list[str]:
    """Pairs of letters, pairs of figures and years: what names and numbers that are no words keep of their identity."""
    figures, letters = string.digits, string.ascii_lowercase
    pairs = [one + other for kind in (letters, figures) for one in kind for other in kind]
    return [*pairs, *map(str, _YEARS)]


def _everything(lines: Sequence[str], known: Mapping[str, Word], total: int) -> list[tuple[str, float]]:
    """All words of the dictionary, the Latin words and numbers of the lines, all letters; with log probabilities."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(run for run in _RUN.findall(fold(line)) if run.isascii())
    found = {word: math.log(max(entry.count, 1) / total) for word, entry in known.items() if _RUN.fullmatch(word)}
    for word, count in counts.items():
        if count >= 5 and len(word) > 1:
            found.setdefault(word, math.log(count / total))
    for letter in _LETTERS:
        found.setdefault(letter, _WORST + 10)
    for piece in _pieces():
        found.setdefault(piece, _WORST + _PAIR)
    return [(_UNKNOWN, _WORST), *found.items()]


def _with_compounds(plain: list[tuple[str, float]], compounds: Sequence[str]) -> Vocabulary:
    """Compounds at the end, each ten times as probable as the words it is made of; one with a character that stands nowhere is left out."""
    tokenizer = build(plain)
    scores = list(plain)
    parts: dict[int, tuple[int, ...]] = {}
    for name in compounds:
        ids = tuple(tokenizer.encode(name, add_special_tokens=False).ids)
        if ids and 0 not in ids:
            parts[len(scores)] = ids
            scores.append((name, math.log(10) + sum(plain[row][1] for row in ids)))
    return Vocabulary(tuple(word for word, _ in scores), tokenizer, build(scores), parts)
