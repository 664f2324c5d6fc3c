// A client of the HMAC scheme, version 1 (docs/reference/hmac.md), for Node.js 18 and later: its standard library is enough.
//
//   import { hmacFetch } from "./hmac.mjs";
//   const key = { keyId: "robot-1", secret: Buffer.from(process.env.SECRET_HEX, "hex"), hash: "sha256" };
//   const answer = await hmacFetch(key, "https://api.example/orders?id=7", { method: "POST", body: JSON.stringify({ n: 1 }) });
import { createHash, createHmac, randomBytes } from "node:crypto";

/** The value of Authorization. `hash` is what the key was registered for: sha256, sha384 or sha512. */
export function authorization({ keyId, secret, hash = "sha256" }, method, authority, target, body = "", options = {}) {
  const timestamp = options.timestamp ?? Math.floor(Date.now() / 1000);
  const nonce = options.nonce ?? randomBytes(16).toString("base64url");
  const digest = createHash("sha256").update(body).digest("base64url");
  const fields = ["HMAC 1", keyId, timestamp, nonce, method, authority.toLowerCase(), target, digest];
  const canonical = fields.map((field) => `${field}\n`).join("");
  const mac = createHmac(hash, secret).update(canonical).digest("base64url");
  return `HMAC version=1, keyid="${keyId}", timestamp=${timestamp}, nonce="${nonce}", digest="${digest}", mac="${mac}"`;
}

/** `fetch`, signed. The body is text or octets; a stream would have to be read twice, so it is refused. */
export async function hmacFetch(key, address, { method = "GET", headers = {}, body, ...rest } = {}) {
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw new TypeError("the body is signed: pass text or octets");
  }
  const url = new URL(address);
  const value = authorization(key, method, url.host, url.pathname + url.search, body);
  return fetch(url, { ...rest, method, body, headers: { ...headers, authorization: value }, redirect: "manual" });
}
