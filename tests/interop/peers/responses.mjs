// Signs and verifies responses with npm's http-message-sig. Reads a list of jobs, answers with what came of each.
import { createPrivateKey, createPublicKey, sign, verify as verifySignature } from "node:crypto";
import { directoryResponseHeaders, verify } from "http-message-sig";

const jobs = JSON.parse((await process.stdin.toArray()).join(""));

const actions = {
  async directory({ request, status, headers, jwk, keyid, created }) {
    const key = createPrivateKey({ key: jwk, format: "jwk" });
    const signer = { alg: "ed25519", keyid, sign: (data) => new Uint8Array(sign(null, Buffer.from(data), key)) };
    const times = { created: new Date(created * 1000), expires: new Date((created + 300) * 1000) };
    return directoryResponseHeaders({ request, response: { status, headers } }, [signer], times);
  },
  async verify({ request, status, headers, jwk }) {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    return verify({ request, response: { status, headers } }, (data, signature) =>
      ({ genuine: verifySignature(null, Buffer.from(data), key, signature) }));
  },
};

const answers = [];
for (const job of jobs) answers.push(await actions[job.action](job));
console.log(JSON.stringify(answers));
