"""Adding users, keys and clients to a store, and changing them: `Admin` and `AsyncAdmin` are the whole list.

Each act is written once, as a coroutine over `Administered`, beside the pure function that says what it writes: `users`,
`keys`, `api_keys`, `clients`, `oauth1` and `access_keys`. `methods` makes a store's methods of them.
"""

from __future__ import annotations

from watchword.stores.administration import access_keys, api_keys, clients, keys, oauth1, users
from watchword.stores.administration.administered import Administered, AdministrationError
from watchword.stores.administration.methods import awaited, called

__all__ = ["Admin", "Administered", "AdministrationError", "AsyncAdmin"]


class Admin:
    """The methods by which a `Store` is administered."""

    add_user = called(users.add_user)
    set_password = called(users.set_password)
    disable_user = called(users.disable_user)
    add_key = called(keys.add_key)
    rotate_key = called(keys.rotate_key)
    add_api_key = called(api_keys.add_api_key)
    rotate_api_key = called(api_keys.rotate_api_key)
    revoke_api_key = called(api_keys.revoke_api_key)
    add_client = called(clients.add_client)
    add_oauth1_client = called(oauth1.add_oauth1_client)
    add_oauth1_token = called(oauth1.add_oauth1_token)
    remove_oauth1_token = called(oauth1.remove_oauth1_token)
    add_access_key = called(access_keys.add_access_key)
    remove_access_key = called(access_keys.remove_access_key)


class AsyncAdmin:
    """`Admin` for an `AsyncStore`: the same methods, awaited. Passwords are hashed in a thread."""

    add_user = awaited(users.add_user)
    set_password = awaited(users.set_password)
    disable_user = awaited(users.disable_user)
    add_key = awaited(keys.add_key)
    rotate_key = awaited(keys.rotate_key)
    add_api_key = awaited(api_keys.add_api_key)
    rotate_api_key = awaited(api_keys.rotate_api_key)
    revoke_api_key = awaited(api_keys.revoke_api_key)
    add_client = awaited(clients.add_client)
    add_oauth1_client = awaited(oauth1.add_oauth1_client)
    add_oauth1_token = awaited(oauth1.add_oauth1_token)
    remove_oauth1_token = awaited(oauth1.remove_oauth1_token)
    add_access_key = awaited(access_keys.add_access_key)
    remove_access_key = awaited(access_keys.remove_access_key)
