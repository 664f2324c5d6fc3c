"""A FastAPI app whose /docs has Swagger UI from npm: `python fastapi_docs.py PORT FOLDER`. It prints a token when it is made."""

import json
import sys
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Security
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles

from watchword import APIKeyVerifier, BasicVerifier, Guard, HMACVerifier, Identity, JWTVerifier, Key
from watchword.crypto import jose
from watchword.servers.fastapi import Authenticate
from watchword.stores import MemoryStore

KEY = Key.generate("HS256", key_id="docs")
store = MemoryStore()
store.add_user("bob", "open sesame", scopes=("orders:read",))
api_key = store.add_api_key("carol", scopes=("orders:read",))
auth = Authenticate(Guard([JWTVerifier(KEY), BasicVerifier(realm="orders"), APIKeyVerifier(), HMACVerifier()], store))
app = FastAPI(docs_url=None, title="Orders")
auth.install(app)


@app.get("/docs", include_in_schema=False)
def docs():
    return get_swagger_ui_html(
        openapi_url="/openapi.json", title="Orders", swagger_js_url="/dist/swagger-ui-bundle.js",
        swagger_css_url="/dist/swagger-ui.css", swagger_favicon_url="/dist/favicon-32x32.png",
    )  # fmt: skip


@app.get("/orders")
def orders(who: Annotated[Identity, Security(auth, scopes=["orders:read"])]) -> str:
    return f"orders of {who.subject}"


@app.get("/health")
def health(who: Annotated[Identity | None, Depends(auth.optional)]) -> str:
    return "fine"


def main(port: str, dist: str) -> None:
    app.mount("/dist", StaticFiles(directory=dist))
    claims = {"sub": "alice", "scope": "orders:read", "exp": 4_000_000_000}
    print(json.dumps({"token": jose.sign(json.dumps(claims).encode(), KEY), "api_key": str(api_key)}), flush=True)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
