"""A FastAPI app: a program of a user's, which type-checks, and which a test runs."""

from typing import Annotated

from fastapi import Depends, FastAPI, Security

from watchword import BasicVerifier, Guard, Identity
from watchword.servers.fastapi import Authenticate
from watchword.stores import MemoryStore

store = MemoryStore()
auth = Authenticate(Guard([BasicVerifier(realm="orders")], store))
app = FastAPI()
auth.install(app)


@app.get("/orders")
def orders(who: Annotated[Identity, Security(auth, scopes=["orders:read"])]) -> str:
    return who.subject


@app.post("/orders")
def order(who: Annotated[Identity, Security(auth, scopes=["orders:write"])]) -> str:
    return who.subject


@app.get("/")
def home(who: Annotated[Identity | None, Depends(auth.optional)]) -> str:
    return "stranger" if who is None else who.subject
