// npm's http-message-signatures: reads {sign: [{key, alg, keyid, fields, request, tag, salt}], verify: [{key, alg, request}]} and answers
// with the header fields of each signed request, and with whether each presented one is good.
import { constants, createPrivateKey, createPublicKey, createSecretKey, sign as signWith } from "node:crypto";
import { createSigner, createVerifier, httpbis } from "http-message-signatures";

const asked = JSON.parse((await process.stdin.toArray()).join(""));
// Its own signer salts rsa-pss-sha512 with as many octets as fit, where RFC 9421 §3.3.1 says 64; `salt` says to do as the RFC does.
const salted = (key, id) => ({
  id,
  alg: "rsa-pss-sha512",
  sign: async (data) => signWith("sha512", data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }),
});
const secret = (hex) => createSecretKey(Buffer.from(hex, "hex"));

const signed = [];
for (const { key, alg, keyid, fields, request, tag, salt } of asked.sign) {
  const material = alg === "hmac-sha256" ? secret(key) : createPrivateKey(key);
  const paramValues = { nonce: crypto.randomUUID(), ...(tag ? { tag } : {}) };
  const params = ["created", "keyid", "alg", "nonce", ...(tag ? ["tag"] : [])];
  const signer = salt ? salted(material, keyid) : createSigner(material, alg, keyid);
  const config = { key: signer, name: "npm", fields, params, paramValues };
  signed.push((await httpbis.signMessage(config, request)).headers);
}

const verified = [];
for (const { key, alg, request } of asked.verify) {
  const material = alg === "hmac-sha256" ? secret(key) : createPublicKey(key);
  const keyLookup = async ({ keyid }) => ({ id: keyid, algs: [alg], verify: createVerifier(material, alg) });
  try {
    verified.push((await httpbis.verifyMessage({ keyLookup }, request)) === true);
  } catch {
    verified.push(false);
  }
}
console.log(JSON.stringify({ sign: signed, verify: verified }));
