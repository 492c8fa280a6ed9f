"""What this adapter promises of Celery, and the test of each. The rule: none is without one.

Versions are the cells of tox.ini, brokers and pools those of `live/test_outside.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from z4j_testing import engine as suite

HERE = Path(__file__).parent
TEST = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
PROMISES = {
    "result backend on": "test_result_preview_comes_with_the_end",
    "result backend off": "test_results_are_seen_without_a_result_backend",
    "late acknowledgement": "test_a_task_acknowledged_late_ends_once",
    "redelivery after a rejection": "test_a_delivery_given_back_is_told_and_its_second_one_ends_it",
    "redelivery after a killed worker": (
        "test_a_run_of_a_killed_worker_is_delivered_again_and_told_so"
    ),
    "redelivery after a lost connection": (
        "test_a_run_cancelled_by_celery_when_the_connection_is_lost_is_given_back_and_ends_once"
    ),
    "eta": "test_a_delayed_run_waits",
    "countdown": "test_a_countdown_is_scheduled_when_sent_and_starts_when_due",
    "chain": "test_a_chain_has_one_root_and_each_link_names_the_one_before",
    "group": "test_the_runs_of_a_group_name_their_group",
    "chord": "test_the_body_of_a_chord_runs_after_its_header_and_names_a_parent_of_it",
    "group of a chord's body": (
        "test_the_body_of_a_chord_is_of_its_group_where_its_message_does_not_say_so"
    ),
    "retry in a chord": "test_a_part_of_a_chord_run_again_reports_to_no_chord",
    "retry in a chain": "test_retry_keeps_the_chain",
    "parent": "test_parent_is_the_run_that_sent_it",
    "eager": "test_an_eager_run_is_not_observed_and_changes_no_outcome",
    "eager refuses": "test_eager_mode_refuses_to_send_again",
    "serializers of the user": (
        "test_arguments_are_seen_live_under_any_serializer_and_retried_unread"
    ),
    "signed messages": "test_signed_messages_are_seen_and_retried_unread",
    "compressed messages": "test_a_compressed_message_is_retried",
    "unreadable messages": "test_a_message_nobody_can_read_ends_failed_once",
    "several apps in a process": "test_another_app_of_this_process_hears_nothing_of_the_worker",
    "several virtual hosts in a process": (
        "test_what_is_done_on_one_virtual_host_is_neither_seen_nor_done_on_the_other"
    ),
    "queues behind an exchange": (
        "test_a_queue_behind_a_topic_is_named_and_not_the_key_of_its_message"
    ),
    "hard time limit": "test_hard_timeout_ends_once",
    "worker lost": "test_worker_killed_while_running_is_failed",
    "worker lost, delivered again": "test_a_task_whose_child_died_is_delivered_again_and_ends_once",
    "max-tasks-per-child": "test_children_replaced_after_some_tasks_go_on_reporting",
    "autoscale": "test_children_added_by_autoscale_report",
    "autoscale refuses pool": "test_a_pool_that_sizes_itself_is_not_resized",
    "beat in a process of its own": "test_what_beat_sends_is_seen_from_beat",
    "spawn": "test_spawned_children_report",
    "spawn, parent": "test_a_run_sent_by_a_spawned_child_names_its_parent",
    "gevent": "test_a_greenlet_is_interrupted_and_its_neighbour_goes_on",
    "gevent beside asyncio": "test_an_asyncio_loop_runs_in_a_greenlet_beside_the_agent",
    "revokes of before a worker's start": (
        "test_a_run_cancelled_while_no_worker_ran_is_not_run_by_one_started_later"
    ),
    "pauses of before a worker's start": (
        "test_a_queue_paused_before_a_worker_starts_is_not_consumed_until_it_is_resumed"
    ),
    "rate limit": "test_a_rate_limit_spreads_starts",
    "pause": "test_pause_stops_new_starts_and_resume_lets_them",
    "pool": "test_pool_changes_size",
    "restart": "test_restart_comes_back",
    "no -E, no event published": "test_a_muted_tap_hears_everything_and_publishes_nothing",
    "-E, as without us": "test_a_monitor_of_the_workers_hears_each_event_once_as_without_us",
    "ends in any order": "test_each_attempt_has_its_own_end_in_whatever_order_they_are_told",
    "one end of a delivery": "test_the_second_end_of_a_delivery_finds_nothing",
    "unknown task": "test_unregistered_task_ends_failed",
    "Ignore": "test_ignore_has_an_end",
    "Reject": "test_reject_has_an_end",
    "sys.exit": "test_a_task_that_leaves_its_process_has_an_end_where_celery_tells_one",
    "expired": "test_expired_before_start",
    "a revoked id is not sent again": "test_retry_of_a_cancelled_run",
    "a signal hits nobody else": "test_a_late_cancel_hits_no_other_run",
    "an interrupt hits nobody else": (
        "test_an_interrupt_hits_only_the_thread_that_runs_the_code_of_the_task"
    ),
    "direct calls": "test_a_direct_call_and_a_task_without_events_are_not_observed",
    "priorities of Redis": "test_depth_counts_every_priority",
    "key prefix of Redis": "test_the_lists_of_a_redis_queue_are_its_priorities_in_order",
    "no look into AMQP": "test_looking_into_an_amqp_queue_is_refused",
    "methods bound to their task": "test_a_method_bound_to_its_task_hides_self",
}


@pytest.fixture(scope="module")
def tests() -> set[str]:
    files = [*HERE.rglob("test_*.py"), *Path(suite.__file__).parent.glob("*.py")]
    found = {name for path in files for name in TEST.findall(path.read_text(encoding="utf-8"))}
    assert len(found) > 100
    return found - {test_each_promise_has_its_test.__name__}


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_has_its_test(tests: set[str], promise: str) -> None:
    assert PROMISES[promise] in tests
