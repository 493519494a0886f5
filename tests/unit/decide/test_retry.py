"""The laws of retrying: budgets by class, delays that grow, stay under their cap and never overflow."""

from hypothesis import given
from hypothesis.strategies import builds, floats, integers, sampled_from

from ostinato.decide.retry import next_try
from ostinato.model.errors import ErrorClass
from ostinato.model.spec import Retry

policies = builds(
    Retry,
    transient=integers(0, 50),
    resource=integers(0, 5_000),
    first_delay=floats(0, 1e9),
    max_delay=floats(0, 1e9),
    jitter=floats(0, 1),
)
failures = integers(1, 10_000)
spreads = floats(0, 1, exclude_max=True)


@given(policies, failures, spreads)
def test_a_logic_error_is_never_tried_again(retry, count, spread):
    assert next_try(retry, ErrorClass.LOGIC, count, spread) is None


@given(policies, failures, spreads)
def test_a_transient_error_is_tried_again_at_once_until_its_budget_is_spent(retry, count, spread):
    assert next_try(retry, ErrorClass.TRANSIENT, count, spread) == (0 if count <= retry.transient else None)


@given(policies, failures, spreads)
def test_a_resource_error_waits_no_longer_than_the_cap_until_its_budget_is_spent(retry, count, spread):
    delay = next_try(retry, ErrorClass.RESOURCE, count, spread)
    if count > retry.resource:
        assert delay is None
    else:
        assert delay is not None
        assert 0 <= delay <= round(retry.max_delay * 1000)


@given(policies, failures, spreads)
def test_the_spread_takes_off_no_more_than_the_jitter(retry, count, spread):
    longest = next_try(retry, ErrorClass.RESOURCE, count, 0.0)
    delay = next_try(retry, ErrorClass.RESOURCE, count, spread)
    if longest is None or delay is None:
        assert longest is delay
    else:
        assert longest * (1 - retry.jitter) - 1 <= delay <= longest


@given(policies, integers(1, 9_999), spreads)
def test_delays_never_shrink_from_one_failure_to_the_next(retry, count, spread):
    now = next_try(retry, ErrorClass.RESOURCE, count, spread)
    after = next_try(retry, ErrorClass.RESOURCE, count + 1, spread)
    assert after is None or (now is not None and now <= after)


@given(sampled_from(ErrorClass), integers(1, 100), spreads)
def test_no_budget_means_no_second_try(error_class, count, spread):
    assert next_try(Retry(transient=0, resource=0), error_class, count, spread) is None


def test_the_default_policy_waits_ten_seconds_then_doubles():
    delays = [next_try(Retry(), ErrorClass.RESOURCE, count, 0.0) for count in (1, 2, 3, 4)]
    assert delays == [10_000, 20_000, 40_000, None]


def test_the_default_jitter_takes_off_up_to_a_fifth():
    assert next_try(Retry(), ErrorClass.RESOURCE, 1, 0.5) == 9_000


def test_the_cap_holds_after_any_number_of_failures():
    assert next_try(Retry(resource=10**9, jitter=0.0), ErrorClass.RESOURCE, 10**9, 0.0) == 600_000
