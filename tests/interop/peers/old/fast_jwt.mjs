// An old fast-jwt, named by its folder on the command line: one JSON object on standard input, one on standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const name = process.argv[2];
const { createVerifier } = require(name);
const { version } = require(`${name}/package.json`);
const { token, ...options } = JSON.parse(readFileSync(0, "utf8"));
let answer;
try {
  answer = { version, accepted: createVerifier(options)(token) };
} catch (error) {
  answer = { version, refused: error.code ?? String(error) };
}
console.log(JSON.stringify(answer));
