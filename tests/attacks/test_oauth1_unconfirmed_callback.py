"""Session fixation (OAuth Security Advisory 2009.1): whoever starts a log-in must not have another's finished for him.

OAuth 1.0a answers it with a confirmed callback and a verifier that only the owner brings back. Our client takes part in
nothing less.
"""

from __future__ import annotations

import pytest

from tests.schemes.test_oauth1_three_legged import CALLBACK, World, client
from watchword import CredentialsUnavailable


@pytest.mark.parametrize(
    "said", [b"", b"&oauth_callback_confirmed=", b"&oauth_callback_confirmed=TRUE", b"&oauth_callback_confirmed=1"]
)
def test_a_server_of_the_old_protocol_is_left_before_anybody_is_asked(said: bytes) -> None:
    world = World()
    world.answers["/initiate?scope=read"] = (200, b"oauth_token=a&oauth_token_secret=b" + said)
    with pytest.raises(CredentialsUnavailable, match=r"1\.0a"):
        world.get(client(CALLBACK))
    assert world.asked == []


@pytest.mark.parametrize("token", ["attacker", "tmp%2F1%20", "TMP%2F1", ""])
def test_a_callback_that_an_attacker_s_log_in_ends_in(token: str) -> None:
    world = World()
    world.says = f"{CALLBACK.callback}&oauth_token={token}&oauth_verifier=theirs"
    with pytest.raises(CredentialsUnavailable, match="other temporary credentials"):
        world.get(client(CALLBACK))
    assert all(target != "/token" for target, _ in world.sent)


def test_a_callback_without_the_verifier_is_no_consent() -> None:
    world = World()
    world.says = f"{CALLBACK.callback}&oauth_token=tmp%2F1"
    with pytest.raises(CredentialsUnavailable, match="did not authorize"):
        world.get(client(CALLBACK))
