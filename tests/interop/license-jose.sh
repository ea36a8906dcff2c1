#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# License documents against another implementation of JOSE, the command `jose`
# (Latchset): what it writes opens here, and what is written here opens there.
# license-npm-jose.mjs does the same with the npm package.
# usage: license-jose.sh HELPER
set -eu
helper=$(realpath "$1")
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
