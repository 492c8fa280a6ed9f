"""Cron texts to try: mostly such as people write, some at the edges, some that nobody should."""

from __future__ import annotations

from hypothesis import strategies as st

DOW = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MONTH = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
BOUNDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dom": (1, 31),
    "month": (1, 12),
    "dow": (0, 7),
    "year": (2024, 2032),
}
KINDS = ("*/n", "a/n", "a-b/n")
NAMES = {"dow": DOW, "month": MONTH}


def values(field):
    """A number of the field, at its edges more often, beyond them rarely, or a name."""
    low, high = BOUNDS[field]
    inside = st.one_of(st.integers(low, high), st.sampled_from([low, low + 1, high - 1, high]))
    found = [inside.map(str)] * 12 + [st.sampled_from([str(high + 1), "00"])]
    if field in NAMES:
        found += [st.sampled_from(NAMES[field])] * 4
    return st.one_of(found)


@st.composite
def items(draw, field, marks=()):
    kind = draw(st.sampled_from(["*", "*", "v", "v", "v", "a-b", "a-b", *KINDS, *marks]))
    high = BOUNDS[field][1]
    step = draw(st.one_of(st.integers(1, 7), st.integers(1, high + 2)))
    value, other = draw(values(field)), draw(values(field))
    return (
        kind.replace("a", value)
        .replace("b", other)
        .replace("n", str(step))
        .replace("v", value)
        .replace("k", str(draw(st.integers(1, 6))))
    )


@st.composite
def columns(draw, field, marks=()):
    count = draw(st.sampled_from([1, 1, 1, 1, 2, 3]))
    return ",".join(draw(items(field, marks)) for _ in range(count))


@st.composite
def texts(draw, fields=("minute", "hour", "dom", "month", "dow"), dom=(), dow=()):
    """A text of some columns; half of the time most of them are plain stars."""
    marks = {"dom": dom, "dow": dow}
    busy = draw(st.booleans())
    return " ".join(
        draw(columns(field, marks.get(field, ()))) if busy or draw(st.integers(0, 2)) == 0 else "*"
        for field in fields
    )


def starts():
    """Instants of the decade, in whole seconds."""
    return st.integers(1_735_689_600, 2_051_222_400)


class Writer:
    """The same kinds of texts from a plain generator: as many as there is time for."""

    def __init__(self, rng):
        self.rng = rng

    def value(self, field):
        low, high = BOUNDS[field]
        kind = self.rng.randrange(20)
        if kind == 0:
            return self.rng.choice([str(high + 1), "00"])
        if field in NAMES and kind < 5:
            return self.rng.choice(NAMES[field])
        if kind < 10:
            return str(self.rng.choice([low, low + 1, high - 1, high]))
        return str(self.rng.randint(low, high))

    def item(self, field, marks):
        kind = self.rng.choice(["*", "*", "v", "v", "v", "a-b", "a-b", *KINDS, *marks])
        step = self.rng.randint(1, self.rng.choice([7, BOUNDS[field][1] + 2]))
        value = self.value(field)
        return (
            kind.replace("a", value)
            .replace("b", self.value(field))
            .replace("n", str(step))
            .replace("v", value)
            .replace("k", str(self.rng.randint(1, 6)))
        )

    def text(self, fields=("minute", "hour", "dom", "month", "dow"), dom=(), dow=()):
        marks = {"dom": dom, "dow": dow}
        busy = self.rng.random() < 0.5
        return " ".join(
            ",".join(
                self.item(field, marks.get(field, ()))
                for _ in range(self.rng.choice([1, 1, 1, 1, 2, 3]))
            )
            if busy or self.rng.randrange(3) == 0
            else "*"
            for field in fields
        )

    def start(self):
        return self.rng.randint(1_735_689_600, 2_051_222_400)
