"""Other libraries as judges of their own dialects, in UTC. What differs is named here.

Where ours refuses what the other takes, the other reads something else than what is written; each
such case has a name below, and everything else that is refused must be refused there too.
"""

from __future__ import annotations

import random
import time
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import ScheduleInvalid

from .conftest import cron, few
from .texts import BOUNDS, DOW, MONTH, Writer, starts, texts

SLOTS = 8
FAR = 6 * 366 * 86_400
EVERY_TEXT = few(25)
MANY_TEXTS = 100_000

cronsim = pytest.importorskip("cronsim")
croniter = pytest.importorskip("croniter")
celery_schedules = pytest.importorskip("celery.schedules")
huey_api = pytest.importorskip("huey.api")
pycron = pytest.importorskip("pycron")
apscheduler = pytest.importorskip("apscheduler.triggers.cron")
parse_crontab = pytest.importorskip("crontab")


def naive(at):
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


def ours(text, dialect, at):
    """The next slots of a text up to a few years away, or the code of its refusal."""
    try:
        timing = cron(text, dialect=dialect)
    except ScheduleInvalid as refused:
        return refused.code
    found = timing.between(at * 1000, (at + FAR) * 1000, SLOTS)
    return [naive(slot.at_ms // 1000) for slot in found]


def theirs(step, at):
    """The next slots by a function from one instant to the next."""
    found, now, end = [], naive(at), naive(at + FAR)
    while len(found) < SLOTS:
        now = step(now)
        if now is None or now > end:
            break
        found.append(now)
    return found


def compare(text, dialect, at, oracle, excuse=None):
    mine = ours(text, dialect, at)
    try:
        other = oracle(text, at)
    except (ValueError, KeyError, ZeroDivisionError, TypeError, cronsim.CronSimError) as error:
        other = error
    if excuse is not None and excuse(text, mine, other):
        return
    if isinstance(mine, str):
        if mine == "schedule.never":
            other = None if other == [] or isinstance(other, Exception) else other
            assert other is None, f"{text!r}: never, and the other fires {other[:2]}"
        else:
            assert isinstance(other, Exception), f"{text!r}: {mine}, and the other takes it"
    else:
        assert not isinstance(other, Exception), f"{text!r}: ours takes it, the other says {other}"
        assert mine == other, text


# ------------------------------------------------------------------------------ cron by cronsim


def by_cronsim(text, at):
    names = FIELDS[-len(text.split()) :]
    said = " ".join(map(for_cronsim, names, text.split()))
    simulated = cronsim.CronSim(said, naive(at))
    return theirs(lambda now: next(simulated, None), at)


FIELDS = ("second", "minute", "hour", "dom", "month", "dow")


def for_cronsim(name, column):
    return ",".join(item_for_cronsim(name, item) for item in column.split(","))


def item_for_cronsim(name, item):
    """An item in the words of cronsim, where it reads another thing or nothing.

    It counts weekdays to 7, so that a step from one of them reaches Sunday again where Debian's
    stops at 6; it takes a step over a range of one value as a step from that value on; and it has
    no ranges that run backwards, nor the last weekday by its name.
    """
    if name == "dow" and item[:-1] in DOW and item[-1] == "L":
        return f"{spelled(item[:-1])}L"
    low, high = (0, 6) if name == "dow" else BOUNDS[name]
    values, slash, step = item.partition("/")
    first, dash, last = values.partition("-")
    if values[0] in "*L" or "#" in item or "L" in item or (slash and int(step) == 0):
        return item
    start, end = spelled(first), spelled(last or first)
    if not all(BOUNDS[name][0] <= value <= BOUNDS[name][1] for value in (start, end)):
        return item
    if slash and not dash and name == "dow":
        start, end = start % 7, high
    elif not dash:
        return item
    if start > high and end < start:
        start = low
    if start > end:
        both = [*range(start, high + 1), *range(low, end + 1)][:: int(step or 1)]
        return ",".join(map(str, both))
    return str(start) if start == end else f"{start}-{end}{slash}{step}"


def spelled(value):
    """A value without its name and leading zeros."""
    names = {name: number for number, name in enumerate(DOW)}
    names |= {name: number for number, name in enumerate(MONTH, 1)}
    return names[value] if value in names else int(value)


CRONSIM = {"dom": ("L", "LW"), "dow": ("v#k", "vL")}


@given(texts(dow=CRONSIM["dow"], dom=CRONSIM["dom"]), starts())
@EVERY_TEXT
def test_cron_is_what_cronsim_says(text, at):
    compare(text, "cron", at, by_cronsim)


@given(texts(("second", "minute", "hour", "dom", "month", "dow")), starts())
@EVERY_TEXT
def test_cron_with_seconds_is_what_cronsim_says(text, at):
    compare(text, "cron", at, by_cronsim)


# ------------------------------------------------------------------------------ croniter


def by_croniter(text, at):
    iterator = croniter.croniter(text, naive(at))

    def step(_):
        try:
            return iterator.get_next(datetime)
        except croniter.CroniterBadDateError:
            return None

    return theirs(step, at)


def croniter_excuse(text, mine, other):
    """What it takes and does not do.

    Plain weekdays beside counted ones are forgotten once they are all seven. Of a range only the
    greater end is looked at: a day, month or year 0 is taken, and then met on the last one.
    """
    words = text.split()
    counted = {"#" in item or "L" in item for item in words[4].split(",")}
    zeros = any(
        part.strip("0") == ""
        for word in (*words[2:4], *words[6:])
        for item in word.split(",")
        for part in item.partition("/")[0].split("-")
    )
    return mine == "schedule.cron_syntax" and (len(counted) > 1 or zeros)


@given(
    texts(dom=("L", "vW"), dow=("v#k", "Lv"))
    | texts(("minute", "hour", "dom", "month", "dow", "second"))
    | texts(("minute", "hour", "dom", "month", "dow", "second", "year")),
    starts(),
)
@EVERY_TEXT
def test_croniter_is_what_croniter_says(text, at):
    compare(text, "croniter", at, by_croniter, croniter_excuse)


# ------------------------------------------------------------------------------ celery


def by_celery(text, at):
    now = [naive(at).replace(tzinfo=UTC)]
    schedule = celery_schedules.crontab.from_string(text)
    schedule.nowfun = lambda: now[0]
    schedule.tz = UTC

    def step(last):
        last = last.replace(tzinfo=UTC)
        start, delta, _ = schedule.remaining_delta(last, tz=UTC)
        return (start + delta).replace(tzinfo=None)

    return theirs(step, at)


def celery_excuse(text, mine, other):
    """It takes names of months and days in every column, and a text behind a star as nothing."""
    return isinstance(mine, str) and any(letter.isalpha() for letter in text)


@given(texts(), starts())
@EVERY_TEXT
def test_celery_is_what_celery_says(text, at):
    compare(text, "celery", at, by_celery, celery_excuse)


# ------------------------------------------------------------------------------ APScheduler 3


def by_apscheduler(text, at):
    trigger = apscheduler.CronTrigger.from_crontab(text, timezone=UTC)

    def step(now):
        last = now.replace(tzinfo=UTC)
        found = trigger.get_next_fire_time(last, last)
        return None if found is None else found.replace(tzinfo=None)

    return theirs(step, at)


def apscheduler_excuse(text, mine, other):
    """What follows a name it takes is not read: `mon/2` and `mon-5` are Monday."""
    return isinstance(mine, str) and any(letter.isalpha() for letter in text)


@given(texts(), starts())
@EVERY_TEXT
def test_apscheduler3_is_what_apscheduler_says(text, at):
    compare(text, "apscheduler3", at, by_apscheduler, apscheduler_excuse)


# ------------------------------------------------------------------------------ parse-crontab


def by_parse_crontab(text, at):
    entry = parse_crontab.CronTab(text)
    return theirs(lambda now: entry.next(now, default_utc=True, return_datetime=True), at)


def parse_crontab_excuse(text, mine, other):
    """Another way to write L7, as L07, is taken and matches no day."""
    return mine == "schedule.cron_syntax" and "L07" in text


@given(
    texts(dom=("L",), dow=("Lv",)) | texts(("minute", "hour", "dom", "month", "dow", "year")),
    starts(),
)
@EVERY_TEXT
def test_parse_crontab_is_what_crontab_says(text, at):
    compare(text, "parse_crontab", at, by_parse_crontab, parse_crontab_excuse)


# ------------------------------------------------------------------------------ minute by minute


def agrees(text, dialect, at, matches):
    """Whether a judge of single minutes finds what we find, around slots and anywhere."""
    try:
        timing = cron(text, dialect=dialect)
    except ScheduleInvalid as refused:
        return refused.code
    slots = timing.between(at * 1000, (at + FAR) * 1000, SLOTS)
    minutes = {slot.at_ms // 60_000 + near for slot in slots for near in (-1, 0, 1, 60, 1440)}
    minutes |= {(at + 86_400 * 11 * k + 3_540 * k) // 60 for k in range(40)}
    for minute in sorted(minutes):
        when = naive(minute * 60)
        assert timing.contains(minute * 60_000) == matches(when), (text, when)
    return ""


def hueys(text):
    minute, hour, day, month, weekday = text.split()
    return huey_api.crontab(minute, hour, day, month, weekday, strict=True)


def check_huey(text, at):
    try:
        judge = hueys(text)
    except (ValueError, ZeroDivisionError):
        judge = None
    said = agrees(text, "huey", at, judge or (lambda when: False))
    if judge is None:
        assert said
    else:
        assert said in ("", "schedule.never")


@given(texts(), starts())
@EVERY_TEXT
def test_huey_is_what_huey_says(text, at):
    check_huey(text, at)


@given(texts(), starts())
@EVERY_TEXT
def test_pycron_is_what_pycron_says(text, at):
    agrees(text, "pycron", at, lambda when: pycron.is_now(text, when))


@given(texts(), starts())
@EVERY_TEXT
def test_what_is_refused_as_never_in_pycron_never_fires_there(text, at):
    said = agrees(text, "pycron", at, lambda when: pycron.is_now(text, when))

    if said == "schedule.never":
        start = naive(at)
        for minute in range(0, 1440 * 40, 97):
            assert not pycron.is_now(text, start + timedelta(minutes=minute))


# ------------------------------------------------------------------------------ arq


def options():
    def some(low, high):
        return st.none() | st.integers(low, high) | st.sets(st.integers(low, high), min_size=1)

    return st.fixed_dictionaries(
        {
            "month": st.none() | st.sets(st.integers(1, 12), min_size=6),
            "day": st.none() | st.sets(st.integers(1, 28), min_size=7),
            "weekday": some(0, 6)
            | st.sampled_from(["mon", "tues", "wed", "thurs", "fri", "sat", "sun"]),
            "hour": some(0, 23),
            "minute": some(0, 59),
            "second": st.integers(0, 59) | st.sets(st.integers(0, 59), min_size=1),
        }
    )


def arq_text(chosen):
    def said(value):
        return "{" + ",".join(map(str, sorted(value))) + "}" if isinstance(value, set) else value

    return " ".join(f"{name}={said(value)}" for name, value in chosen.items() if value is not None)


@given(options(), starts())
@few(30)
def test_arq_is_what_arq_says(chosen, at):
    arq_cron = pytest.importorskip("arq.cron")

    mine = ours(arq_text(chosen), "arq", at)[:3]

    def by_arq(text, at):
        def step(now):
            now = now.replace(microsecond=0)
            return arq_cron.next_cron(now, **chosen, microsecond=0)

        found = [step(naive(at))]
        while len(found) < len(mine):
            found.append(step(found[-1]))
        return found

    assert by_arq(arq_text(chosen), at) == mine


# ------------------------------------------------------------------------------ many texts

FIVE = ("minute", "hour", "dom", "month", "dow")
MANY = {
    "cron": (
        (lambda text, at: compare(text, "cron", at, by_cronsim)),
        [(FIVE, CRONSIM["dom"], CRONSIM["dow"]), (("second", *FIVE),)],
    ),
    "croniter": (
        (lambda text, at: compare(text, "croniter", at, by_croniter, croniter_excuse)),
        [
            (FIVE, ("L", "vW"), ("v#k", "Lv")),
            ((*FIVE, "second"),),
            ((*FIVE, "second", "year"),),
        ],
    ),
    "celery": ((lambda text, at: compare(text, "celery", at, by_celery, celery_excuse)), [()]),
    "apscheduler3": (
        (lambda text, at: compare(text, "apscheduler3", at, by_apscheduler, apscheduler_excuse)),
        [()],
    ),
    "parse_crontab": (
        (
            lambda text, at: compare(
                text, "parse_crontab", at, by_parse_crontab, parse_crontab_excuse
            )
        ),
        [(FIVE, ("L",), ("Lv",)), ((*FIVE, "year"),)],
    ),
    "huey": (check_huey, [()]),
    "pycron": (
        (lambda text, at: agrees(text, "pycron", at, lambda when: pycron.is_now(text, when))),
        [()],
    ),
}


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("tag", MANY)
def test_many_texts_are_what_the_library_of_the_dialect_says(tag, record_property):
    seed = time.time_ns()
    writer = Writer(random.Random(seed))
    check, forms = MANY[tag]
    wrong = []
    for _ in range(MANY_TEXTS):
        text, at = writer.text(*writer.rng.choice(forms)), writer.start()
        try:
            check(text, at)
        except AssertionError as error:
            wrong.append((text, at, str(error)))

    record_property("figures", f"{tag}: {MANY_TEXTS} texts, {len(wrong)} differ, seed {seed}")
    assert not wrong, (seed, len(wrong), sorted(wrong, key=lambda row: len(row[0]))[:20])


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
