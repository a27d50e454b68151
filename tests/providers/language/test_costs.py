"""Price lists and figures of cost in a declaration: what is refused, and what an example shows."""

from collections.abc import Sequence

import pytest

from darkroom.models import Charged
from darkroom.money import Money, micros_of
from darkroom.providers.authoring.shown import unshown
from darkroom.providers.language.examples import misread
from darkroom.providers.language.loading import BadDeclaration, parse
from tests.declarations import seen, service_with
from tests.services.priced import PRICED

DONE = """
[[example]]
name = "done"
answer = { status = "done", pictures = ["https://x/1.png"], cents = 4 }
"""


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('model = "small", amount', 'model = "tiny", amount', "price.lines.1: there is no model tiny"),
        ('"options.quality" = ["low"', '"options.quality" = ["lowest"', "options.quality is never 'lowest'"),
        ('"options.quality" = ["low"', '"options.steps" = ["low"', "there is no option steps"),
        ('given = { "options.quality" = ["low", "high"] }', 'given = { aspect_ratio = "4:3" }', "is never '4:3'"),
        ("amount = 0.1 ", "amount = -0.1 ", "greater than or equal to 0"),
        ("amount = 0.1 ", "amount = nan ", "it is no number that JSON has"),
        ("amount = 0.1 ", "amount = 1e9 ", "less than or equal to 1000000"),
        ('date = "2026-11-28"', 'date = "today"', "price.date"),
        ('source = "https://priced.example.com/pricing"', "", "price.source"),
        ('unit = "USD"\nsource', 'unit = "EUR"\nsource', "the service's own figure is in USD"),
        ("times = 0.01", "times = 0.0", "greater than 0"),
    ],
)
def test_a_price_that_no_request_can_have_or_that_is_of_no_known_day_is_refused(
    before: str, after: str, says: str
) -> None:
    parse(PRICED.encode())
    assert PRICED.count(before) == 1
    with pytest.raises(BadDeclaration) as caught:
        parse(PRICED.replace(before, after).encode())
    assert says in str(caught.value)


def test_an_example_shows_what_a_job_costs() -> None:
    def wrong(cost: str) -> Sequence[str]:
        return [reason for reasons in misread(parse(f"{PRICED}{DONE}{cost}".encode())).values() for reason in reasons]

    assert wrong('cost = "0.04 USD"') == []
    assert wrong('cost = "4 USD"') == ['cost: it is read as "0.04 USD", not as "4 USD"']
    shown = [fault.where for fault in unshown(parse(f'{PRICED}{DONE}cost = "0.04 USD"'.encode()))]
    assert ("submit", "cost") in shown
    assert ("read", "cost") not in shown


def test_a_pointer_alone_says_only_whether_it_was_charged() -> None:
    service = service_with(read='cost = "/cost"')
    failed = seen(service, {"status": "failed", "cost": 5})
    assert (failed.charged, failed.cost) == (Charged.YES, None)
    assert seen(service, {"status": "failed", "cost": -5}).charged is None
    assert seen(service, {"status": "failed", "cost": "0.00"}).charged is Charged.NO
    assert seen(service, {"status": "failed", "cost": "none"}).charged is None


def test_amounts_are_exact_and_written_as_people_write_them() -> None:
    written = {0: "0 USD", 5_000_000: "5 USD", 500_000: "0.50 USD", 1: "0.000001 USD", 1_230_000: "1.23 USD"}
    assert {micros: str(Money(micros, "USD")) for micros in written} == written
    assert str(Money(2_500_000, "credits")) == "2.5 credits"
    assert str(Money(100_000_000, "credits")) == "100 credits"
    assert micros_of(0.1) == 100_000
    assert micros_of("0.0000001") == 1, "what costs something never counts as nothing"
    assert micros_of(3, 0.01) == 30_000
    assert micros_of(1_000_000) == 10**12
    assert micros_of(1_000_001) is None
