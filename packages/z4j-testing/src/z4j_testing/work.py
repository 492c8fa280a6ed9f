"""What an app does while z4j fails. The rule: it keeps a book of its own.

Each engine's test runs these as tasks of its app; `again` is retried once.
"""

from __future__ import annotations

from collections import Counter

BOOK: Counter[tuple[str, str, int]] = Counter()
"""How often each task has run, by kind, word and number."""
KINDS = ("good", "bad", "again")


def good(word: str, number: int, thing: object = None) -> str:
    """Succeeds; `thing` is passed on to nobody."""
    BOOK["good", word, number] += 1
    return f"{word} {number} {type(thing).__name__}"


def bad(word: str, number: int, thing: object = None) -> str:
    """Fails."""
    BOOK["bad", word, number] += 1
    raise ValueError(f"{word} {number} {type(thing).__name__}")


def again(word: str, number: int, thing: object = None) -> str:
    """Fails the first time."""
    BOOK["again", word, number] += 1
    if BOOK["again", word, number] == 1:
        raise KeyError(word)
    return f"{word} {number} {type(thing).__name__}"


def runs(word: str) -> list[tuple[str, int, int]]:
    """How often each task of a word has run: kind, number, times."""
    return sorted((kind, number, times) for (kind, said, number), times in BOOK.items()
                  if said == word)  # fmt: skip
