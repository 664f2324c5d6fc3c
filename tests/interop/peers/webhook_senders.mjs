// Senders' own libraries in Node.js. Reads {verify: [{peer, secret, headers, body}], sign: [{peer, secret, id, now, body}]}
// and answers with a list for each: whether the peer takes a delivery for genuine, and what it signs.
import { sign as octokitSign, verify as octokitVerify } from "@octokit/webhooks-methods";
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import "@shopify/shopify-api/adapters/node";
import { shopifyApi } from "@shopify/shopify-api";
import { AwsLambdaReceiver } from "@zoom/rivet/meetings";
import { verifyKey } from "discord-interactions";
import { Webhook } from "svix";

console.debug = () => {}; // Zoom's library writes what it receives

const verifiers = {
  discord: ({ secret, headers, body }) => verifyKey(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], secret),
  github: ({ secret, headers, body }) => octokitVerify(secret, body, headers["x-hub-signature-256"]),
  linear: ({ secret, headers, body }) => new LinearWebhookClient(secret).verify(Buffer.from(body), headers["linear-signature"]),
  shopify: async ({ secret, headers, body }) => {
    const settings = { apiKey: "key", hostName: "hooks.example", apiVersion: "2026-01", isEmbeddedApp: false, logger: { level: -1 } };
    const about = { "x-shopify-topic": "orders/create", "x-shopify-shop-domain": "a.myshopify.com", "x-shopify-api-version": "2026-01" };
    const rawRequest = { headers: { ...headers, ...about }, method: "POST", url: "/" };
    return (await shopifyApi({ ...settings, apiSecretKey: secret }).webhooks.validate({ rawBody: body, rawRequest })).valid;
  },
  svix: ({ secret, headers, body }) => new Webhook(secret).verify(body, headers) !== false,
  zoom: async ({ secret, headers, body }) => {
    const receiver = new AwsLambdaReceiver({ webhooksSecretToken: secret });
    receiver.init({ eventEmitter: { emit() {} } });
    return (await receiver.start()({ headers, body, isBase64Encoded: false }, {})).statusCode === 200;
  },
};

const signers = {
  github: ({ secret, body }) => octokitSign(secret, body),
  svix: ({ secret, id, now, body }) => new Webhook(secret).sign(id, new Date(now * 1000), body),
};

async function verified(delivery) {
  try {
    return Boolean(await verifiers[delivery.peer](delivery));
  } catch {
    return false;
  }
}

const asked = JSON.parse((await process.stdin.toArray()).join(""));
const answer = {
  verify: await Promise.all(asked.verify.map(verified)),
  sign: await Promise.all(asked.sign.map((message) => signers[message.peer](message))),
};
console.log(JSON.stringify(answer));
