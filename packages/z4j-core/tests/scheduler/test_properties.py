"""What holds for every text of every dialect."""

from __future__ import annotations

from functools import partialmethod
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler import days, fields
from z4j_core.scheduler.canonical import canonical
from z4j_core.scheduler.cron import forget, parse
from z4j_core.scheduler.days import DayRule, MonthDays, WeekDays
from z4j_core.scheduler.dialects import DIALECTS
from z4j_core.scheduler.walls import Wall, dst_of
from z4j_core.scheduler.zone import zone

from .conftest import cron, few, many, ms
from .texts import starts, texts

FIVE = ("minute", "hour", "dom", "month", "dow")
QUESTIONS = ("second", "minute", "hour", "dom", "month", "dow")
TEXTS = {tag: texts() for tag in DIALECTS if tag != "arq"}
TEXTS["cron"] = texts(dom=("L", "L-n", "LW", "vW", "H", "H/n"), dow=("vL", "v#k", "?")) | texts(
    ("second", *FIVE)
)
TEXTS["croniter"] = texts(dom=("L", "vW"), dow=("v#k", "Lv")) | texts((*FIVE, "second"))
TEXTS["parse_crontab"] = texts(dom=("L",), dow=("Lv",)) | texts((*FIVE, "year"))
TEXTS["quartz"] = texts(QUESTIONS, dow=("L", "vL", "v#k"), dom=("L", "L-n", "LW", "vW")).map(
    lambda text: " ".join(["?" if n == 3 else w for n, w in enumerate(text.split())])
) | texts(QUESTIONS, dom=("L", "L-n", "LW", "vW")).map(lambda text: text.rpartition(" ")[0] + " ?")
TEXTS["eventbridge"] = texts((*FIVE[:4], "dow", "year")).map(
    lambda text: " ".join(["?" if n == 4 else w for n, w in enumerate(text.split())])
)
TEXTS["arq"] = st.builds(
    "hour={} minute={} day={} weekday={}".format,
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(1, 31),
    st.integers(0, 6),
)
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut")
EACH = few(12)
MANY = many(10_000)


def read(tag, text, tz):
    try:
        return cron(text, dialect=tag, tz=tz)
    except ScheduleInvalid as refused:
        assert refused.code in ("schedule.cron_syntax", "schedule.dialect", "schedule.never")
        assert refused.hint
        return None


def holds(tag, text, tz, at):
    timing = read(tag, text, tz)
    if timing is None:
        return
    slots = timing.between(at * 1000, (at + 41 * 366 * 86_400) * 1000, 30)

    assert all(a.at_ms < b.at_ms for a, b in pairwise(slots))
    for slot in slots:
        assert timing.contains(slot.at_ms)
        assert not timing.contains(slot.at_ms + 1)
        assert timing.prev(slot.at_ms + 1) == slot
    for before, slot in pairwise(slots):
        assert timing.prev(slot.at_ms) == before
        assert timing.next(before.at_ms) == slot
        assert timing.next(slot.at_ms - 1) == slot
    if slots:
        last = timing.prev(at * 1000 + 1)
        assert last is None or last.at_ms <= at * 1000


@pytest.mark.parametrize("tag", DIALECTS)
@given(st.data())
@EACH
def test_slots_rise_and_next_and_prev_agree(tag, data):
    holds(tag, data.draw(TEXTS[tag]), data.draw(st.sampled_from(ZONES)), data.draw(starts()))


@pytest.mark.soak
@pytest.mark.parametrize("tag", DIALECTS)
@given(st.data())
@MANY
def test_slots_rise_and_next_and_prev_agree_for_many_texts(tag, data):
    holds(tag, data.draw(TEXTS[tag]), data.draw(st.sampled_from(ZONES)), data.draw(starts()))


def says_the_same(tag, text, tz, at, dst):
    timing = read(tag, text, tz)
    if timing is None:
        return
    try:
        said = canonical(text, tag)
    except ScheduleInvalid as refused:
        assert refused.code == "schedule.dialect"
        return
    other = Wall(parse(said).times, zone(tz), dst_of(dst))
    timing = Wall(parse(text, tag).times, zone(tz), dst_of(dst))
    end = (at + 3 * 366 * 86_400) * 1000

    assert other.between(at * 1000, end, 60) == timing.between(at * 1000, end, 60), said
    assert canonical(said, "cron") == said


@pytest.mark.parametrize("tag", DIALECTS)
@given(st.data())
@EACH
def test_the_canonical_text_has_the_same_slots_and_is_its_own(tag, data):
    says_the_same(
        tag,
        data.draw(TEXTS[tag]),
        data.draw(st.sampled_from(ZONES)),
        data.draw(starts()),
        data.draw(st.sampled_from(["cron", "first", "both", "skip", "literal"])),
    )


@pytest.mark.soak
@pytest.mark.parametrize("tag", DIALECTS)
@given(st.data())
@MANY
def test_the_canonical_text_has_the_same_slots_and_is_its_own_for_many_texts(tag, data):
    says_the_same(
        tag,
        data.draw(TEXTS[tag]),
        data.draw(st.sampled_from(ZONES)),
        data.draw(starts()),
        data.draw(st.sampled_from(["cron", "first", "both", "skip", "literal"])),
    )


@pytest.mark.parametrize(
    ("text", "tag", "said"),
    [
        ("*/15 8-17 * * 1-5", "celery", "*/15 8-17 * * 1-5"),
        ("0 0 * * 0", "apscheduler3", "0 0 * * 1"),
        ("0 0 ? * 2-6", "quartz", None),
        ("0 0 12 ? * 2-6", "quartz", "0 12 * * 1-5"),
        ("0 0 1-7 * 1", "celery", "0 0 */31,2-7 * 1"),
        ("0 0 13 * 0,5", "huey", "0 0 13 * */7,5"),
        ("0 0 13 * 5", "celery", None),
        ("0 0 13 * 5", "croniter", "0 0 13 * 5"),
        ("5 4 * * * 30", "croniter", "30 5 4 * * *"),
        ("hour={9,17} minute=30 weekday=mon", "arq", "30 9,17 * * 1"),
        ("cron(0 10 ? * MON-FRI *)", "eventbridge", "0 10 * * 1-5"),
        ("@daily", "robfig", "0 0 * * *"),
        ("0 7 18/7 * 0-7", "pycron", "0 7 * * *"),
        ("0 7 1-31 * 1/7", "pycron", "0 7 * * *"),
    ],
)
def test_a_text_is_rewritten_where_cron_can_say_it(text, tag, said):
    if said is None:
        with pytest.raises(ScheduleInvalid):
            canonical(text, tag)
    else:
        assert canonical(text, tag) == said


# ------------------------------------------------------------------------------ bounded work

ANY_TEXT = st.text(max_size=256) | st.text("0123456789*/,-LW#?HhR() @monty", max_size=256)


class Counter:
    def __init__(self, what):
        self.what = what
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.what(*args, **kwargs)


@pytest.mark.parametrize("tag", DIALECTS)
@given(st.data())
@few(20)
def test_any_text_is_read_or_refused_with_bounded_work(tag, data):
    text = data.draw(ANY_TEXT | TEXTS[tag])
    columns, months = Counter(fields._Reader._plain), Counter(days.DayRule.of)
    forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields._Reader, "_plain", partialmethod(columns))
        patch.setattr(days.DayRule, "of", partialmethod(months))
        try:
            parse(text, tag)
        except ScheduleInvalid as refused:
            assert refused.code in ("schedule.cron_syntax", "schedule.dialect", "schedule.never")
            assert refused.hint

    assert columns.calls <= 128
    assert months.calls <= 14 * 12


def test_a_text_of_257_characters_is_refused():
    with pytest.raises(ScheduleInvalid, match="at most 256"):
        parse("0 " * 128 + "0", "cron")


def test_a_column_has_at_most_128_items():
    with pytest.raises(ScheduleInvalid, match="more than 128 items") as refused:
        fields.read_column(DIALECTS["cron"], "minute", ",".join(["1"] * 129))

    assert refused.value.code == "schedule.cron_syntax"


@pytest.mark.parametrize(
    ("text", "tag", "code", "column"),
    [
        ("0 25 * * *", "cron", "schedule.cron_syntax", 3),
        ("0 0 1,32 * *", "cron", "schedule.cron_syntax", 7),
        ("0 0 * foo *", "cron", "schedule.cron_syntax", 7),
        ("R * * * *", "cron", "schedule.cron_syntax", 1),
        ("0 0 L * *", "crontab", "schedule.dialect", 5),
        ("0 0 * * mon#2", "celery", "schedule.dialect", 9),
        ("0 22-2 * * *", "apscheduler3", "schedule.dialect", 3),
        ("0 0 12 * * *", "quartz", "schedule.cron_syntax", 0),
        ("* * * *", "cron", "schedule.cron_syntax", 1),
        ("0 0 30 2 *", "cron", "schedule.never", 0),
        ("0 0 31 2,4,6,9,11 *", "cron", "schedule.never", 0),
        ("@reboot", "cron", "schedule.dialect", 0),
    ],
)
def test_a_refusal_names_code_and_column(text, tag, code, column):
    with pytest.raises(ScheduleInvalid) as refused:
        parse(text, tag)

    assert (refused.value.code, refused.value.column) == (code, column)
    assert refused.value.pointer == "/expr"


def test_the_29th_of_february_on_a_monday_is_found_across_a_century():
    slot = cron("0 0 29 2 */7,1", tz="Europe/Berlin").next(ms(2077, 1, 1))

    assert slot is not None
    assert cron("0 0 29 2 *").next(ms(2096, 3, 1)).at_ms == ms(2104, 2, 29)


def test_h_is_the_same_for_one_schedule_and_spread_over_many():
    texts = {cron("H H * * *", seed=f"id-{n}").next(0).local for n in range(200)}

    assert len(texts) > 150
    assert cron("H H * * *", seed="a").next(0) == cron("H H * * *", seed="a").next(0)


@pytest.mark.parametrize(
    ("text", "tag", "same"),
    [
        ("00 09 01 05 *", "cron", "0 9 1 5 *"),
        ("* * * * 00L", "cron", "* * * * 0L"),
        ("* * * * 005#02", "cron", "* * * * 5#2"),
        ("0 0 L-001 * *", "cron", "0 0 L-1 * *"),
        ("0 0 0015W * *", "cron", "0 0 15W * *"),
        ("0 0 */00007 * *", "cron", "0 0 */7 * *"),
        ("000000 0 * * 1", "cron", "0 0 * * 1"),
        ("0 0 * * L05", "croniter", "0 0 * * L5"),
        ("0 0 * * 5#02", "croniter", "0 0 * * 5#2"),
        ("0 0 * * L00,L3-05", "parse_crontab", "0 0 * * L0,L3-5"),
        ("00000 000009 * * 0001", "celery", "0 9 * * 1"),
        ("00000 000009 * * 0001", "huey", "0 9 * * 1"),
        ("00000 000009 * * 0001", "apscheduler3", "0 9 * * 1"),
        ("0000000000 0000000009 * * 0001", "pycron", "0 9 * * 1"),
        ("0 0 2-31,L * *", "croniter", "0 0 * * *"),
    ],
)
def test_another_way_to_write_it_means_the_same(text, tag, same):
    read, plain = parse(text, tag), parse(same, tag)

    assert (read.rule, read.times.minutes) == (plain.rule, plain.times.minutes)


@pytest.mark.parametrize(
    ("text", "tag", "code"),
    [
        ("0 0 * * 7-3", "parse_crontab", "schedule.dialect"),
        ("0 0 * * 7-3", "crontab", "schedule.dialect"),
        ("0 0 * * L07", "croniter", None),
        ("0 0 16 * L3", "croniter", "schedule.never"),
        ("0 0 13W * 7", "croniter", "schedule.never"),
        ("0 0 L * 3#3", "croniter", "schedule.never"),
        ("0 0 22 * L7", "croniter", None),
        ("0 0 */21 2 7L", "cron", None),
        ("0 0 31-0 * *", "croniter", "schedule.cron_syntax"),
        ("0 0 * * L6,*", "croniter", "schedule.cron_syntax"),
        ("0 0 * * 5#6", "cron", "schedule.cron_syntax"),
        ("0 0 * * 5#00000", "cron", "schedule.cron_syntax"),
        ("0 0 L-031 * *", "cron", "schedule.cron_syntax"),
        ("0 0 032W * *", "cron", "schedule.cron_syntax"),
        (f"0 {'9' * 250} * *", "cron", "schedule.cron_syntax"),
        (f"*/{'9' * 240} * * * *", "cron", None),
    ],
)
def test_what_a_library_refuses_or_never_fires_is_refused(text, tag, code):
    if code is None:
        assert parse(text, tag)
    else:
        with pytest.raises(ScheduleInvalid) as refused:
            parse(text, tag)
        assert refused.value.code == code


def test_all_fourteen_kinds_of_years_are_asked_for_a_day():
    kinds = [
        DayRule(
            frozenset({2}),
            MonthDays(frozenset({day})),
            WeekDays(last=frozenset({dow})),
            both=True,
        )
        for dow in range(7)
        for day in range(22, 30)
    ]

    assert all(rule.ever() for rule in kinds)
