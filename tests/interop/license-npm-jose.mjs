// SPDX-License-Identifier: LGPL-2.1-or-later
// License documents against the npm package `jose`: what it writes opens here, and
// what is written here opens there; it agrees on thumbprints, and what it signs by
// another key is refused. Exits with 77, skipped, where the package is not installed.
// usage: license-npm-jose.mjs HELPER NODE_MODULES
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [helper, modules] = process.argv.slice(2).map((name) => resolve(name));
if (!existsSync(join(modules, 'jose', 'package.json'))) {
  console.log(`no npm package jose in ${modules}: skipped`);
  process.exit(77);
}
const { exports: { '.': entry } } = JSON.parse(readFileSync(join(modules, 'jose', 'package.json'), 'utf8'));
const jose = await import(pathToFileURL(join(modules, 'jose', entry.default)));

const KID = 'a2lkLW9uZS0xNi1ieXRlcw';
const KEYS = `{"keys":[{"kty":"oct","kid":"${KID}","k":"S0VZLW9uZS0xNi1ieXRlcw"}]}`;
const HEADER = { alg: 'ES256', typ: 'offline-license' };
const bytes = (text) => new TextEncoder().encode(text);
const dir = mkdtempSync(join(tmpdir(), 'license-jose-'));
const path = (name) => join(dir, name);

function expect(what, ok, more = '') {
  if (!ok) throw new Error(`${what}${more ? `: ${more}` : ''}`);
  console.log(`${what}: ok`);
}

function ours(...args) {
  const done = spawnSync(helper, args, { cwd: dir, encoding: 'utf8' });
  return { ok: done.status === 0, out: done.stdout.trim(), error: done.stderr };
}

async function newKey(name, alg) {
  const pair = await jose.generateKeyPair(alg, { crv: 'P-256', extractable: true });
  writeFileSync(path(`${name}.jwk`), JSON.stringify(await jose.exportJWK(pair.privateKey)));
  const made = ours('pem', `${name}.jwk`, `${name}.pem`);
  if (!made.ok) throw new Error(made.error);
  return pair;
}

async function sign(claims, key) {
  return new jose.CompactSign(bytes(JSON.stringify(claims))).setProtectedHeader(HEADER).sign(key);
}

async function theirsOpensHere(issuer, device) {
  const jkt = await jose.calculateJwkThumbprint(await jose.exportJWK(device.publicKey), 'sha256');
  expect('the same thumbprint', jkt === ours('thumbprint', 'device.pem').out);
  const keys = await new jose.CompactEncrypt(bytes(KEYS))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'jwk-set+json' }).encrypt(device.publicKey);
  const claims = {
    ver: 1, jti: 'by-npm', iss: 'https://licenses.example.com', iat: 1799107200, cnf: { jkt }, kids: [KID],
    rights: 'Rental', not_after: 1801699200, playback_duration: 172800, persistent: true, keys,
  };
  writeFileSync(path('theirs.license'), await sign(claims, issuer.privateKey));
  const opened = ours('open', 'theirs.license', 'issuers.pem', 'device.pem');
  expect('npm jose -> here', opened.ok && opened.out === KEYS, opened.error);
  const other = await jose.generateKeyPair('ES256');
  writeFileSync(path('forged.license'), await sign(claims, other.privateKey));
  const forged = ours('open', 'forged.license', 'issuers.pem', 'device.pem');
  expect("another signer's is refused", !forged.ok && forged.error.includes('signature'), forged.error);
}

async function oursOpensThere(issuer, device) {
  const written = ours('write', 'issuer.pem', 'device.pem');
  const document = await jose.compactVerify(written.out, issuer.publicKey, { algorithms: ['ES256'] });
  const claims = JSON.parse(new TextDecoder().decode(document.payload));
  const keys = await jose.compactDecrypt(claims.keys, device.privateKey,
    { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] });
  const set = JSON.parse(new TextDecoder().decode(keys.plaintext));
  expect('here -> npm jose', document.protectedHeader.typ === HEADER.typ &&
    set.keys.some((key) => key.kid === KID && key.k === 'S0VZLW9uZS0xNi1ieXRlcw'));
}

try {
  const issuer = await newKey('issuer', 'ES256');
  const device = await newKey('device', 'ECDH-ES');
  const certified = ours('certificate', 'issuer.pem', 'issuers.pem');
  if (!certified.ok) throw new Error(certified.error);
  await theirsOpensHere(issuer, device);
  await oursOpensThere(issuer, device);
} finally {
  rmSync(dir, { recursive: true });
}
