"""Ten million coverage-guided inputs; atheris is no dependency: `nox -s fuzz` brings it.

`Z4J_FUZZ_HOME` keeps corpora and books, so that what was interrupted goes on where it was.
"""

import os
from pathlib import Path

import pytest
from campaign import PIECE, Campaign
from decoders import DECODERS

RUNS = int(os.environ.get("Z4J_FUZZ_RUNS", "10000000"))
HOME = os.environ.get("Z4J_FUZZ_HOME")


@pytest.fixture
def campaign(tmp_path):
    pytest.importorskip("atheris", reason="atheris is not installed: run `nox -s fuzz`")
    home = Path(HOME).absolute() if HOME else tmp_path
    home.mkdir(parents=True, exist_ok=True)
    return Campaign(home)


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_no_guided_input_finds_an_undeclared_error(campaign, record_property):
    campaign.run(RUNS, workers=os.cpu_count() or 1)

    spent_s = sum(spent for _, spent in campaign.done.values())
    record_property("figures", f"{campaign.total} guided inputs, {spent_s / 60:.0f} CPU minutes")
    each = [
        f"{name} {runs} ({runs / spent:.0f}/s)" for name, (runs, spent) in campaign.done.items()
    ]
    record_property("figures", "; ".join(each))
    assert campaign.total >= RUNS
    assert all(runs >= min(PIECE, RUNS // len(DECODERS)) for runs, _ in campaign.done.values())
