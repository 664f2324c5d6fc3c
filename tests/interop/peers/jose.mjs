// jose (npm) as a peer: reads one JSON object from standard input, answers with one.
//   {"do": "sign", "alg", "jwk", "claims", "kid"?}                 -> {"token"}
//   {"do": "verify", "alg", "jwk", "token", "issuer", "audience"}  -> {"claims"} or {"refused": code}
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // Node.js 18
const { SignJWT, importJWK, jwtVerify } = await import("jose");

const asked = JSON.parse(readFileSync(0, "utf8"));
const key = await importJWK(asked.jwk, asked.alg);
let answer;
if (asked.do === "sign") {
  const header = { alg: asked.alg, typ: "JWT", ...(asked.kid ? { kid: asked.kid } : {}) };
  answer = { token: await new SignJWT(asked.claims).setProtectedHeader(header).sign(key) };
} else {
  try {
    const options = { algorithms: [asked.alg], issuer: asked.issuer, audience: asked.audience };
    answer = { claims: (await jwtVerify(asked.token, key, options)).payload };
  } catch (error) {
    answer = { refused: error.code ?? String(error) };
  }
}
console.log(JSON.stringify(answer));
