// jose (npm) as a peer for JWE and for JSON JWS: reads a list of tasks from standard input, answers with a list.
//   {"do": "encrypt", "form", "plaintext", "recipients": [{"alg", "jwk"}], "enc", "aad"?}    -> {"token"}
//   {"do": "decrypt", "form", "token", "alg", "jwk"}                                          -> {"plaintext"}
//   {"do": "sign", "form", "payload", "signers": [{"alg", "jwk"}], "b64"?}                    -> {"token"}
//   {"do": "verify", "form", "token", "alg", "jwk"}                                           -> {"payload"}
// or {"refused": code}. "form" is "compact", "flattened" or "general".
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // Node.js 18
const jose = await import("jose");
const octets = (text) => new TextEncoder().encode(text);
const text = (array) => new TextDecoder().decode(array);
const imported = ({ alg, jwk }) => jose.importJWK(jwk, alg);

async function encrypt(task) {
  const [first] = task.recipients;
  const plaintext = octets(task.plaintext);
  if (task.form === "general") {
    const sealed = new jose.GeneralEncrypt(plaintext).setProtectedHeader({ enc: task.enc });
    if (task.aad) sealed.setAdditionalAuthenticatedData(octets(task.aad));
    for (const each of task.recipients) {
      sealed.addRecipient(await imported(each)).setUnprotectedHeader({ alg: each.alg });
    }
    return { token: await sealed.encrypt() };
  }
  const Form = task.form === "compact" ? jose.CompactEncrypt : jose.FlattenedEncrypt;
  const sealed = new Form(plaintext).setProtectedHeader({ alg: first.alg, enc: task.enc });
  if (task.aad) sealed.setAdditionalAuthenticatedData(octets(task.aad));
  return { token: await sealed.encrypt(await imported(first)) };
}

async function sign(task) {
  const payload = octets(task.payload);
  const more = task.b64 === false ? { b64: false, crit: ["b64"] } : {};
  if (task.form === "general") {
    const signed = new jose.GeneralSign(payload);
    for (const each of task.signers) signed.addSignature(await imported(each)).setProtectedHeader({ alg: each.alg, ...more });
    return { token: await signed.sign() };
  }
  const Form = task.form === "compact" ? jose.CompactSign : jose.FlattenedSign;
  const [first] = task.signers;
  return { token: await new Form(payload).setProtectedHeader({ alg: first.alg, ...more }).sign(await imported(first)) };
}

const DOING = {
  encrypt,
  sign,
  async decrypt(task) {
    const open = jose[`${task.form}Decrypt`];
    const options = { keyManagementAlgorithms: [task.alg] }; // PBES2 has to be allowed by name
    return { plaintext: text((await open(task.token, await imported(task), options)).plaintext) };
  },
  async verify(task) {
    const check = jose[`${task.form}Verify`];
    return { payload: text((await check(task.token, await imported(task))).payload) };
  },
};

const answers = [];
for (const task of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    answers.push(await DOING[task.do](task));
  } catch (error) {
    answers.push({ refused: error.code ?? String(error) });
  }
}
console.log(JSON.stringify(answers));
