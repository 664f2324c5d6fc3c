"""Flask: `flask --app examples.frameworks.flask_app run`."""

from __future__ import annotations

from flask import Flask

from watchword import BasicVerifier, Guard
from watchword.servers.flask import Authenticate
from watchword.stores import MemoryStore

store = MemoryStore()
store.add_user("alice", "open sesame", scopes=("orders:read",))
auth = Authenticate(Guard([BasicVerifier(realm="orders")], store))
app = Flask(__name__)
auth.init_app(app)


@app.get("/orders")
@auth.required("orders:read")
def orders() -> dict[str, str]:
    """Those of whoever asks."""
    return {"of": auth.identity.subject}


@app.post("/orders")
@auth.required("orders:write")
async def order() -> dict[str, str]:
    """A new one."""
    return {"by": auth.identity.subject}
