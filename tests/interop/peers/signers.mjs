// Signs requests with npm's aws4, aws4fetch, @smithy/signature-v4, oauth-1.0a and web-bot-auth.
// Reads a list of jobs and answers with {method, target, headers} for each.
import { createHmac } from "node:crypto";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import aws4 from "aws4";
import { AwsV4Signer } from "aws4fetch";
import OAuth from "oauth-1.0a";
import { signatureHeaders, verify } from "web-bot-auth";
import { signerFromJWK, verifierFromJWK } from "web-bot-auth/crypto";

const jobs = JSON.parse((await process.stdin.toArray()).join(""));

const signers = {
  aws4({ method, host, target, body, service, region, accessKeyId, secretAccessKey, sessionToken, signQuery }) {
    const headers = body ? { "Content-Type": "application/json" } : {};
    const asked = { method, host, path: target, service, region, headers, signQuery, body: body || undefined };
    const signed = aws4.sign(asked, { accessKeyId, secretAccessKey, sessionToken });
    return { method, target: signed.path, headers: signed.headers };
  },
  async aws4fetch({ method, host, target, body, signQuery, ...rest }) {
    const headers = body ? { "Content-Type": "application/json" } : {};
    const signer = new AwsV4Signer({ url: `https://${host}${target}`, method, headers, body: body || undefined, signQuery, ...rest });
    const { url, headers: lines } = await signer.sign();
    return { method, target: url.pathname + url.search, headers: { ...Object.fromEntries(lines), host } };
  },
  async smithy({ method, host, target, body, service, region, presign, uriEscapePath, ...credentials }) {
    const url = new URL(`https://${host}${target}`);
    const query = {};
    for (const [name, value] of url.searchParams) {
      query[name] = name in query ? [query[name], value].flat() : value;
    }
    const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, uriEscapePath });
    const headers = body ? { host, "content-type": "application/json" } : { host };
    if (service === "s3" && presign) headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
    const asked = { method, protocol: "https:", hostname: host, path: url.pathname, query, headers, body: body || undefined };
    if (!presign) {
      return { method, target, headers: (await signer.sign(asked)).headers };
    }
    const signed = await signer.presign(asked, { expiresIn: 600, unhoistableHeaders: new Set() });
    const pairs = Object.entries(signed.query).flatMap(([name, value]) =>
      [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`));
    return { method, target: `${url.pathname}?${pairs.join("&")}`, headers: { host } };
  },
  oauth({ method, url, hash, consumer, token, data }) {
    const names = { sha1: "HMAC-SHA1", sha256: "HMAC-SHA256" };
    const oauth = OAuth({
      consumer, signature_method: names[hash], hash_function: (text, key) => createHmac(hash, key).update(text).digest("base64"),
    });
    return { method, headers: oauth.toHeader(oauth.authorize({ url, method, data }, token)) };
  },
  async bot({ url, jwk, agent, created }) {
    const headers = agent ? { "Signature-Agent": agent } : {};
    const from = new Date(created * 1000);
    const until = new Date(created * 1000 + 300_000);
    const made = await signatureHeaders(new Request(url, { headers }), await signerFromJWK(jwk), { created: from, expires: until });
    return { method: "GET", headers: { ...headers, ...made } };
  },
  async verifyBot({ url, jwk, headers }) {
    await verify(new Request(url, { headers }), await verifierFromJWK(jwk));
    return { method: "GET", headers };
  },
};

const answers = [];
for (const { signer, ...job } of jobs) {
  answers.push(await signers[signer](job));
}
process.stdout.write(JSON.stringify(answers));
