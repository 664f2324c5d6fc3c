// Runs examples/hmac_clients/hmac.mjs: {vectors: […]} gives the fields that it makes, {requests: […]} the answers that it gets.
import { authorization, hmacFetch } from "../../../examples/hmac_clients/hmac.mjs";

const asked = JSON.parse((await process.stdin.toArray()).join(""));
const octets = (hex) => Buffer.from(hex, "hex");
const key = ({ key_id, secret_hex, algorithm }) => ({ keyId: key_id, secret: octets(secret_hex), hash: algorithm.replace("HS", "sha") });

const fields = (asked.vectors ?? []).map((vector) => {
  const { method, authority, target, body_hex, timestamp, nonce } = vector;
  return authorization(key(vector), method, authority, target, octets(body_hex), { timestamp, nonce });
});
const answers = [];
for (const request of asked.requests ?? []) {
  const { method, url, body_hex } = request;
  const body = body_hex === undefined ? undefined : octets(body_hex);
  const answer = await hmacFetch(key(request), url, { method, body });
  answers.push([answer.status, await answer.text()]);
}
const refused = [];
for (const body of [new ReadableStream(), new URLSearchParams("a=b"), {}]) {
  refused.push(await hmacFetch(key({ key_id: "k", secret_hex: "00", algorithm: "HS256" }), "http://127.0.0.1:9/", { method: "POST", body }).then(
    () => "sent", (error) => error.constructor.name,
  ));
}
console.log(JSON.stringify({ fields, answers, refused }));
