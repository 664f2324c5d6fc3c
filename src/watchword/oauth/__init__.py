"""OAuth 2 for those who call: each grant as a flow, tokens that are fetched once, `OAuth2Auth` over them.

| module | its idea |
|---|---|
| `auth` | `OAuth2Auth`, which attaches tokens |
| `renewing` | what client halves with a token have in common |
| `metadata` | what an issuer says of itself (RFC 8414, OpenID Connect Discovery 1.0) |
| `client_authentication` | how a client proves itself at the issuer's endpoints |
| `own_requests` | the requests that flows send for themselves, and which answers are of use |
| `token_response` | what a token endpoint answers (RFC 6749 §5) |
| `tokens` | the tokens that are kept, by what they are for; `TokenMemory` |
| `keeping` | one flow fetches, refreshes and saves, all others wait for it |
| `client_credentials`, `authorization_code`, `device` | the grants |
| `callback` | what a browser brings back (RFC 6749 §4.1.2, RFC 9207) |
| `id_token` | who has logged in (OpenID Connect Core 1.0 §3.1.3.7) |
| `revocation` | a token is given back (RFC 7009) |
| `errand` | a flow that belongs to no request of the caller's |
"""
