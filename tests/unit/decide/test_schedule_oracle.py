"""A share of what `python3 do bench R4` compares, in the zones whose clocks do the oddest things."""

import pytest

from bench.schedules import compared

ODD = [
    "Africa/Casablanca",  # four changes a year
    "America/Caracas",  # moved by half an hour, for good
    "America/Havana",  # midnight comes twice
    "America/Sao_Paulo",  # midnight did not exist
    "Antarctica/Troll",  # two hours
    "Asia/Pyongyang",  # half an hour back, and forth
    "Australia/Lord_Howe",  # half an hour each time
    "Europe/Berlin",
    "Pacific/Apia",  # a day did not exist
]


@pytest.mark.parametrize("zone", ODD)
def test_ticks_clock_changes_and_runs_after_downtimes_are_those_of_a_brute_force_oracle(zone: str) -> None:
    tally = compared(seed=7, ticks=3_000, zones=[zone])
    assert tally.zones == {zone}
    assert tally.counts["ticks at clock changes"] > 0
    assert tally.counts["runs after downtimes"] > 0
    assert tally.differences == []
