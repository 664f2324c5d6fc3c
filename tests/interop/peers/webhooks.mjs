// Standard Webhooks in Node.js: npm's standardwebhooks for v1; for v1a, which it lacks, node:crypto as the specification has it.
// Reads {verify: [{secret, headers, body}], sign: [{secret, id, timestamp, body}]} and answers with a list for each.
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";

const text = (await process.stdin.toArray()).join("");
const asked = JSON.parse(text);
const url = (octets) => Buffer.from(octets).toString("base64url");
const content = (id, timestamp, body) => Buffer.from(`${id}.${timestamp}.${body}`);

function publicKey(secret) {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: url(Buffer.from(secret.slice(5), "base64")) }, format: "jwk" });
}

function privateKey(secret) {
  const octets = Buffer.from(secret.slice(5), "base64");
  const [d, x] = [url(octets.subarray(0, 32)), url(octets.subarray(32))];
  return createPrivateKey({ key: { kty: "OKP", crv: "Ed25519", d, x }, format: "jwk" });
}

function verified({ secret, headers, body }) {
  try {
    if (!secret.startsWith("whpk_")) {
      new Webhook(secret).verify(body, headers);
      return true;
    }
    const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]];
    return headers["webhook-signature"].split(" ").some((item) => {
      const [version, signature] = item.split(",");
      return version === "v1a" && verify(null, content(id, timestamp, body), publicKey(secret), Buffer.from(signature, "base64"));
    });
  } catch {
    return false;
  }
}

function signed({ secret, id, timestamp, body }) {
  if (!secret.startsWith("whsk_")) return new Webhook(secret).sign(id, new Date(timestamp * 1000), body);
  return "v1a," + sign(null, content(id, timestamp, body), privateKey(secret)).toString("base64");
}

console.log(JSON.stringify({ verify: asked.verify.map(verified), sign: asked.sign.map(signed) }));
