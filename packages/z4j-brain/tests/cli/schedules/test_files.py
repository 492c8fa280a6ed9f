"""`z4j schedules` against a served brain: declared in a file."""

from __future__ import annotations

import json

import pytest
from schedule_rows import audited, row
from z4j_testing.demo.processes import free_port

pytestmark = pytest.mark.live


@pytest.fixture
def declare(tmp_path, request):
    """Write a set of the test's own tag; its file."""
    tag = "t" + format(abs(hash(request.node.name)), "x")[:12]

    def write(schedules, **more):
        whole = {
            "tag": tag,
            "defaults": {"engine": "celery", "app": "shop"},
            "schedules": {f"{tag} {name}": each for name, each in schedules.items()},
            **more,
        }
        path = tmp_path / "schedules.json"
        path.write_text(json.dumps(whole))
        return tag

    return write


BILL = {"task": "shop.bill", "cron": "0 2 * * *"}


def test_apply_makes_what_diff_said_and_twice_is_no_change_and_no_record(run, brain, declare):
    tag = declare({"bill": BILL, "poll": {"task": "shop.poll", "interval": 30}})

    code, out, _ = run("diff", "schedules.json")
    assert (code, out.splitlines()[-1]) == (1, "would create 2; 0 as declared")
    code, out, err = run("apply", "schedules.json")
    assert (code, out.splitlines()) == (
        0, [f"+ {tag} bill", f"+ {tag} poll", "create 2; 0 as declared"],
    ), err  # fmt: skip
    assert row(run, f"{tag} bill")["owner"] == f"declarative:{tag}"

    before = audited(brain)
    assert run("apply", "schedules.json")[:2] == (0, "change nothing; 2 as declared\n")
    assert run("diff", "schedules.json")[:2] == (0, "would change nothing; 2 as declared\n")
    assert audited(brain) == before


def test_a_change_names_its_fields_and_what_is_gone_is_disabled(run, declare):
    tag = declare({"bill": BILL, "poll": {"task": "shop.poll", "interval": 30}})
    run("apply", "schedules.json")
    declare({"bill": {**BILL, "queue": "slow"}})

    code, out, _ = run("apply", "schedules.json")

    assert (code, out.splitlines()) == (0, [
        f"~ {tag} bill", '    queue: null → "slow"', f"- {tag} poll (disable)",
        "change 1, disable 1; 0 as declared",
    ])  # fmt: skip
    assert row(run, f"{tag} poll")["enabled"] is False
    assert run("diff", "schedules.json")[0] == 0


def test_what_was_edited_elsewhere_is_kept_shown_and_overwritten_only_when_told(run, declare):
    tag = declare({"bill": BILL})
    run("apply", "schedules.json")
    run("edit", f"{tag} bill", "queue=fast")

    code, out, _ = run("apply", "schedules.json")
    assert (code, f'! {tag} bill queue: edited to "fast", declared null' in out) == (0, True), out
    assert row(run, f"{tag} bill")["queue"] == "fast"
    assert "queue: declared null, now" in run("show", f"{tag} bill")[1]
    assert run("diff", "schedules.json")[0] == 1
    assert run("apply", "schedules.json", "--on-drift", "fail")[0] == 1
    assert run("apply", "schedules.json", "--on-drift", "overwrite")[0] == 0
    assert row(run, f"{tag} bill")["queue"] is None


def test_a_pause_survives_a_deploy(run, declare):
    tag = declare({"bill": BILL})
    run("apply", "schedules.json")
    run("pause", f"{tag} bill")
    declare({"bill": {**BILL, "queue": "slow"}})

    run("apply", "schedules.json")

    found = row(run, f"{tag} bill")
    assert (found["queue"], bool(found["paused"])) == ("slow", True)


def test_a_set_changes_no_schedule_of_another_owner(run, make, declare):
    name = make()
    declare({})

    assert run("apply", "schedules.json", "--prune", "delete")[0] == 0
    assert row(run, name)["enabled"] is True


def test_a_set_with_one_fault_changes_nothing(run, declare):
    tag = declare({"bill": BILL, "poll": {"task": "shop.poll"}})

    assert run("apply", "schedules.json")[0] == 2
    assert run("show", f"{tag} bill")[0] == 1


def test_of_many_warnings_the_first_are_told_and_the_rest_counted(run, declare, teller):
    declare({f"n{each}": {"task": f"shop.n{each}", "interval": 60} for each in range(12)})

    code, _, err = run("diff", "schedules.json")

    lines = err.splitlines()
    assert (code, len(lines), lines[-1]) == (1, 11, "and 2 warnings more")
    assert lines[0].startswith("warning: no agent of this group has registered 'shop.n")


def test_whether_a_set_was_applied_is_not_claimed_when_nobody_answered(run, declare, monkeypatch):
    declare({"bill": BILL})
    monkeypatch.setenv("Z4J_URL", f"http://127.0.0.1:{free_port()}")

    code, _, err = run("apply", "schedules.json")

    assert (code, "see with diff whether it was applied" in err) == (3, True)
