"""Mutants of the lease stores, each with the promise of the suite that kills it.

    python -m z4j_testing.mutants packages/z4j-core/tests/leases/mutants.py

The rule: a mutant that lives is a promise nobody looks at.
"""

from z4j_testing.mutants import Mutant

SOURCE = "../../src"
_IN = "leases/test_stores.py"
_LUA = "z4j_core/scheduler/leases/lua.py"
_LEDGER = "z4j_core/scheduler/leases/ledger.py"
_SEEN = "z4j_core/scheduler/leases/seen.py"
_FENCED = "test_a_deposed_leader_claims_nothing"
_EPOCH = "test_the_epoch_never_falls_when_the_store_forgot_everything"
_SAME_ENQ = "test_the_same_attempt_passes_however_often_it_is_delivered"
_TERM = "test_nobody_takes_over_before_the_lease_has_run_out"
_OLDER = "test_only_a_newer_one_is_kept"

MUTANTS = [
    Mutant(
        "redis_claim_without_fence", _LUA,
        "if held[1] ~= ARGV[1] or held[3] ~= ARGV[2] or tonumber(held[2]) <= now then",
        "if false then", f"{_FENCED} and redis", _IN,
    ),
    Mutant(
        "redis_epoch_of_a_term_alone", _LUA,
        "epoch = math.max(epoch + 1, now)", "epoch = epoch + 1", f"{_EPOCH} and redis", _IN,
    ),
    Mutant(
        "redis_guard_blocks_the_same_enq", "z4j_core/scheduler/leases/redis.py",
        "return held is None or int(held) == enq", "return held is None",
        f"{_SAME_ENQ} and redis", _IN,
    ),
    Mutant(
        "redis_take_over_before_expiry", _LUA,
        "if exp > now and l[1] ~= ARGV[1]", "if exp > now + 500 and l[1] ~= ARGV[1]",
        f"{_TERM} and redis", _IN,
    ),
    Mutant(
        "redis_older_snapshot_accepted", _LUA,
        "if was and was >= ARGV[1] then return 0 end", "", f"{_OLDER} and redis", _IN,
    ),
    Mutant(
        "redis_older_snapshot_leads", _LUA,
        "if rev > ARGV[4] then return {-3, exp, now, rev} end", "",
        "test_an_older_snapshot_never_leads and redis", _IN,
    ),
    Mutant(
        "redis_repeat_is_taken", _LUA,
        "if state == 'claimed' and epoch == ARGV[2] then answer = 1 end", "",
        "test_a_claim_whose_answer_was_lost and redis", _IN,
    ),
    Mutant(
        "sql_claim_without_fence", _LEDGER,
        "    if found is None or found[:2] != (lease.owner, lease.epoch) or found[2] <= found[4]:",
        "    if found is None:", f"{_FENCED} and sqlite", _IN,
    ),
    Mutant(
        "sql_lease_that_ran_out_writes", _LEDGER,
        " or found[2] <= found[4]:", ":",
        "test_a_lease_that_ran_out_writes_nothing and sqlite", _IN,
    ),
    Mutant(
        "sql_epoch_of_a_term_alone", _LEDGER,
        "epoch = max(epoch + 1, now)", "epoch = epoch + 1", f"{_EPOCH} and sqlite", _IN,
    ),
    Mutant(
        "sql_guard_blocks_the_same_enq", _SEEN,
        " OR h.enq = excluded.enq RETURNING", " RETURNING", f"{_SAME_ENQ} and sqlite", _IN,
    ),
    Mutant(
        "sql_take_over_before_expiry", _LEDGER,
        "held_by != owner and exp > now,", "held_by != owner and exp > now + 500,",
        f"{_TERM} and sqlite", _IN,
    ),
    Mutant(
        "sql_older_snapshot_accepted", _SEEN,
        "WHERE s.rev < excluded.rev RETURNING", "RETURNING", f"{_OLDER} and sqlite", _IN,
    ),
    Mutant(
        "sql_end_counts_twice", _SEEN,
        '        " WHERE r.ended = 0 RETURNING 1",\n', '        " RETURNING 1",\n',
        "test_a_run_ends_and_its_end_counts_once and sqlite", _IN,
    ),
    Mutant(
        "file_stopped_is_dead", "z4j_core/scheduler/leases/living.py",
        "    except BlockingIOError:\n        return False\n",
        "    except BlockingIOError:\n        return True\n",
        "test_a_leader_that_is_stopped", "leases/test_file.py",
    ),
]  # fmt: skip
