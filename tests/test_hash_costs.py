"""What the tests change about hashing is its cost, everywhere, and nothing else."""

from __future__ import annotations

import pytest

from tests import hash_costs
from watchword import Reason, Rejected
from watchword.authorization_server import token_endpoint
from watchword.crypto import passwords
from watchword.schemes import basic


def parameters() -> set[str]:
    """Of a new hash, and of nobody's in each module that verifies against it."""
    encoded = [passwords.hash_password("s3cret"), passwords.DUMMY, basic.DUMMY, token_endpoint.DUMMY]
    return {text.split("$")[3] for text in encoded}


def test_a_test_hashes_at_the_lowest_cost() -> None:
    assert parameters() == {"m=8,t=1,p=1"}


def test_a_constant_that_is_made_meanwhile_changes_nothing() -> None:
    passwords.verify_password(hash_costs.cheap_password("s3cret").encoded, "s3cret")
    assert parameters() == {"m=8,t=1,p=1"}


@pytest.mark.real_cost
def test_a_marked_test_hashes_at_the_real_one() -> None:
    assert parameters() == {"m=65536,t=3,p=4"}


@pytest.mark.real_cost
def test_the_real_cost_is_back_afterwards() -> None:
    with hash_costs.cheap():
        assert parameters() == {"m=8,t=1,p=1"}
        with pytest.raises(Rejected) as caught:
            passwords.verify_password(passwords.DUMMY, "nobody's guess")
        assert caught.value.reason is Reason.WRONG_SECRET
    assert parameters() == {"m=65536,t=3,p=4"}


@pytest.mark.parametrize("name", passwords.PROFILES)
def test_every_profile_makes_what_it_calls_up_to_date_as_ever(name: str) -> None:
    encoded = passwords.hash_password("s3cret", profile=name)
    passwords.verify_password(encoded, "s3cret")
    assert not passwords.is_outdated(encoded, name)
    assert passwords.is_outdated(passwords.DUMMY, name) is (name != "rfc9106-low-memory")
