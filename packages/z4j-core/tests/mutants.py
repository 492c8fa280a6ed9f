"""Mutants of ownership, commands and triggers, each with the test that kills it.

    python -m z4j_testing.mutants packages/z4j-core/tests/mutants.py

The rule: a mutant that lives is a promise nobody looks at.
"""

from z4j_testing.mutants import Mutant

SOURCE = "../src"
_COMMANDS = "tests/agent/test_commands.py"
_TABLES = "tests/scheduler/test_tables.py"
_TRUTH = "tests/scheduler/test_truth.py"
_POLICY = "tests/scheduler/test_policy.py"

MUTANTS = [
    Mutant(
        "owner_lock_inherited",
        "z4j_core/spool/stream.py",
        "fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "test_a_forked_child_does_not_keep_a_dead_owners_stream_locked",
        "tests/spool/test_processes.py",
    ),
    Mutant(
        "result_without_journal",
        "z4j_core/agent/commands.py",
        "                self._journal.result(command.cmd_id, body)\n",
        "                pass\n",
        "test_c4_a_repeated_command_gets_its_result_again_and_is_not_repeated",
        _COMMANDS,
    ),
    Mutant(
        "rerun_after_intent",
        "z4j_core/agent/commands.py",
        "            if entry.result is None:\n",
        "            if entry.result is None:\n                continue\n",
        "test_a_command_with_an_adopted_intent_is_answered_again_and_never_run",
        "tests/agent/test_at_most_once.py",
    ),
    Mutant(
        "deadline_restarts_on_resend",
        "z4j_core/agent/session.py",
        "deadline=self._boot_at_welcome + order",
        "deadline=self._clock.boottime() + order",
        "test_a_command_that_is_sent_again_has_the_deadline_it_had",
        "tests/agent/test_at_most_once.py",
    ),
    Mutant(
        "cron_star_step_is_or",
        "z4j_core/scheduler/cron.py",
        "        return dom.starts_wild or dow.starts_wild\n",
        '        return dom.text == "*" or dow.text == "*"\n',
        "test_a_text_fires_as_often_in_2026_as_its_dialect_says",
        _TABLES,
    ),
    Mutant(
        "fixed_fires_twice_in_a_fold",
        "z4j_core/scheduler/walls.py",
        '"cron": Dst("after", "first", "both")',
        '"cron": Dst("after", "both", "both")',
        "test_half_past_one_fires_exactly_once_on_both_days_of_a_change_in_every_zone",
        _TRUTH,
    ),
    Mutant(
        "gap_is_lost",
        "z4j_core/scheduler/walls.py",
        'if not segment.gap or self.dst.gap == "skip"',
        "if True",
        "test_half_past_one_fires_exactly_once_on_both_days_of_a_change_in_every_zone",
        _TRUTH,
    ),
    Mutant(
        "swallowed_date_is_lost",
        "z4j_core/scheduler/walls.py",
        "        if not self.nominals.daily:\n",
        "        if True:\n",
        "test_a_change_of_the_clock_is_met_as_the_policy_says",
        _TABLES,
    ),
    Mutant(
        "missing_date_is_substituted",
        "z4j_core/scheduler/walls.py",
        "            if not low <= day <= day + DAY_S <= high:\n                return local\n",
        "            return local\n",
        "test_a_change_of_the_clock_is_met_as_the_policy_says",
        _TABLES,
    ),
    Mutant(
        "shift_by_the_wrong_offset",
        "z4j_core/scheduler/walls.py",
        "            return lost - segment.before\n",
        "            return lost - segment.offset\n",
        "test_a_change_of_the_clock_is_met_as_the_policy_says",
        _TABLES,
    ),
    Mutant(
        "never_is_accepted",
        "z4j_core/scheduler/cron.py",
        "if times is None or not rule.ever():",
        "if times is None:",
        "test_a_refusal_names_code_and_column",
        "tests/scheduler/test_properties.py",
    ),
    Mutant(
        "missing_cursor_is_never_fired",
        "z4j_core/scheduler/policy.py",
        "        seen += cursor.seen_ms\n",
        "        pass\n",
        "test_a_lost_cursor_is_what_others_remember",
        _POLICY,
    ),
    Mutant(
        "catch_up_beside_a_slot_on_time",
        "z4j_core/scheduler/policy.py",
        'rules.catchup == "fire_one" and not on_time',
        'rules.catchup == "fire_one"',
        "test_slots_that_were_missed_are_caught_up_as_the_rules_say",
        _POLICY,
    ),
    Mutant(
        "paused_time_is_missed",
        "z4j_core/scheduler/policy.py",
        "        seen.append(schedule.paused_until_ms)\n",
        "        pass\n",
        "test_a_pause_ends_by_itself_and_what_it_covered_was_not_missed",
        _POLICY,
    ),
    Mutant(
        "unbounded_count",
        "z4j_core/scheduler/policy.py",
        "COUNTED + len(chosen) + 1)",
        "10**12)",
        "test_a_billion_missed_slots_are_counted_to_a_bound",
        _POLICY,
    ),
    Mutant(
        "lost_runs_block_for_ever",
        "z4j_core/scheduler/policy.py",
        "return run.started or now_ms",
        "return True or now_ms",
        "test_a_run_that_never_started_stops_counting",
        _POLICY,
    ),
    Mutant(
        "expired_still_fires",
        "z4j_core/scheduler/policy.py",
        "return limit is not None and now_ms - fate.since_ms > limit * 1000",
        "return False",
        "test_what_is_too_late_expires",
        _POLICY,
    ),
    Mutant(
        "max_fires_is_forgotten",
        "z4j_core/scheduler/policy.py",
        "fires = fires if left is None else fires[:left]",
        "fires = list(fires)",
        "test_max_fires_counts_claims_and_no_misses",
        _POLICY,
    ),
    Mutant(
        "failures_never_pause",
        "z4j_core/scheduler/policy.py",
        "cursor.failures >= limit",
        "cursor.failures > limit",
        "test_failures_in_a_row_pause_the_schedule",
        _POLICY,
    ),
    Mutant(
        "buffer_keeps_the_oldest",
        "z4j_core/scheduler/overlap.py",
        "queue[free:][-1:], queue[free:][:-1]",
        "queue[free:][:1], queue[free:][1:]",
        "test_runs_that_go_on_are_met_as_the_overlap_says",
        _POLICY,
    ),
    Mutant(
        "jitter_reaches_the_next_slot",
        "z4j_core/scheduler/trigger.py",
        "following.at_ms - 1",
        "following.at_ms + 1",
        "test_jitter_is_the_same_each_time_and_never_reaches_the_next_slot",
        "tests/scheduler/test_trigger.py",
    ),
]
