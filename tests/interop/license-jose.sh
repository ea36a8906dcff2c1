#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# License documents against two other implementations of JOSE: the command `jose`
# (Latchset), and the npm package `jose` where node finds one. What they write
# opens here, and what is written here opens there.
# usage: license-jose.sh HELPER [NODE_MODULES]
set -eu
helper=$(realpath "$1")
modules=${2:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

command -v jose >/dev/null || { echo "no jose command: skipped"; exit 77; }

jose jwk gen -i '{"alg":"ES256"}' -o issuer.jwk
jose jwk gen -i '{"kty":"EC","crv":"P-256"}' -o device.jwk
jose jwk pub -i device.jwk -o device.pub.jwk
jose jwk pub -i issuer.jwk -o issuer.pub.jwk
"$helper" pem issuer.jwk issuer.pem
"$helper" pem device.jwk device.pem
"$helper" certificate issuer.pem issuers.pem

# The thumbprint of RFC 7638, by both.
[ "$(jose jwk thp -a S256 -i device.pub.jwk)" = "$("$helper" thumbprint device.pem)" ]

keys='{"keys":[{"kty":"oct","kid":"a2lkLW9uZS0xNi1ieXRlcw","k":"S0VZLW9uZS0xNi1ieXRlcw"}]}'

claims() { # JWE
  printf '{"ver":1,"jti":"by-jose","iss":"https://licenses.example.com","iat":1799107200,'
  printf '"cnf":{"jkt":"%s"},"kids":["a2lkLW9uZS0xNi1ieXRlcw"],' "$("$helper" thumbprint device.pem)"
  printf '"rights":"Rental","not_after":1801699200,"playback_duration":172800,"persistent":true,"keys":"%s"}' "$1"
}

printf '%s' "$keys" > keys.json
jose jwe enc -i '{"protected":{"alg":"ECDH-ES","enc":"A256GCM","cty":"jwk-set+json"}}' \
  -I keys.json -k device.pub.jwk -c -o keys.jwe
claims "$(cat keys.jwe)" > claims.json
jose jws sig -I claims.json -s '{"protected":{"alg":"ES256","typ":"offline-license"}}' \
  -k issuer.jwk -c -o by-jose.license
[ "$("$helper" open by-jose.license issuers.pem device.pem)" = "$keys" ]
echo "jose command -> here: ok"

# Another signer's key is refused.
jose jwk gen -i '{"alg":"ES256"}' -o other.jwk
jose jws sig -I claims.json -s '{"protected":{"alg":"ES256","typ":"offline-license"}}' \
  -k other.jwk -c -o forged.license
! "$helper" open forged.license issuers.pem device.pem 2> error.txt
grep -q 'signature' error.txt

"$helper" write issuer.pem device.pem > ours.license
jose jws ver -i ours.license -k issuer.pub.jwk -O ours.json
sed 's/.*"keys":"\([^"]*\)".*/\1/' ours.json > ours.jwe
jose jwe dec -i ours.jwe -k device.jwk -O ours.keys
grep -q '"k":"S0VZLW9uZS0xNi1ieXRlcw"' ours.keys
echo "here -> jose command: ok"

[ -n "$modules" ] && [ -d "$modules/jose" ] || { echo "no npm package jose: left out"; exit 0; }
cat > npm.mjs <<'JS'
import { readFileSync as read, writeFileSync as write } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const jose = require('jose');
// The command's key_ops name more than WebCrypto allows a private key.
const jwk = (name) => ({ ...JSON.parse(read(name, 'utf8')), key_ops: undefined });
const device = await jose.importJWK(jwk('device.jwk'), 'ECDH-ES');
const devicePub = await jose.importJWK(jwk('device.pub.jwk'), 'ECDH-ES');
const issuer = await jose.importJWK(jwk('issuer.jwk'), 'ES256');
const issuerPub = await jose.importJWK(jwk('issuer.pub.jwk'), 'ES256');
const text = new TextEncoder();
const ours = await jose.compactVerify(read('ours.license', 'utf8'), issuerPub);
const claims = JSON.parse(new TextDecoder().decode(ours.payload));
const keys = await jose.compactDecrypt(claims.keys, device);
if (!new TextDecoder().decode(keys.plaintext).includes('S0VZLW9uZS0xNi1ieXRlcw')) throw new Error('keys');
const jwe = await new jose.CompactEncrypt(read('keys.json'))
  .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'jwk-set+json' }).encrypt(devicePub);
const mine = { ...JSON.parse(read('claims.json', 'utf8')), jti: 'by-npm', keys: jwe };
write('by-npm.license', await new jose.CompactSign(text.encode(JSON.stringify(mine)))
  .setProtectedHeader({ alg: 'ES256', typ: 'offline-license' }).sign(issuer));
JS
node npm.mjs "$modules"
echo "here -> npm jose: ok"
[ "$("$helper" open by-npm.license issuers.pem device.pem)" = "$keys" ]
echo "npm jose -> here: ok"
