#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The device's key in a PKCS#11 token (SoftHSM 2) by pkcs11-provider: it is made
# there, a license is issued to it, and opened by it; the private part never leaves.
# Skipped where there is no provider, as in Debian 12.
# usage: license-pkcs11.sh HELPER
set -eu
helper=$(realpath "$1")
softhsm=$(find /usr/lib -name libsofthsm2.so 2>/dev/null | head -n 1)
provider=$(find /usr/lib -path '*ossl-modules/pkcs11.so' 2>/dev/null | head -n 1)
if [ -z "$softhsm" ] || [ -z "$provider" ] || ! command -v softhsm2-util >/dev/null ||
  ! command -v pkcs11-tool >/dev/null; then
  echo "no softhsm2, opensc or pkcs11-provider: skipped"
  exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

mkdir tokens
echo "directories.tokendir = $dir/tokens" > softhsm2.conf
export SOFTHSM2_CONF=$dir/softhsm2.conf
softhsm2-util --init-token --free --label device --so-pin 12345678 --pin 1234 >/dev/null
echo 1234 > pin

# What a device has in its openssl.cnf.
cat > openssl.cnf <<CNF
openssl_conf = init
[init]
providers = providers
[providers]
default = default_section
pkcs11 = pkcs11_section
[default_section]
activate = 1
[pkcs11_section]
module = $provider
pkcs11-module-path = $softhsm
pkcs11-module-token-pin = file:$dir/pin
# SoftHSM is gone before OpenSSL lets go of it.
pkcs11-module-quirks = no-deinit
activate = 1
CNF
"$helper" keys issuer.pem issuers.pem

pkcs11-tool --module "$softhsm" --token-label device --login --pin 1234 --keypairgen \
  --key-type EC:prime256v1 --usage-derive --label device --id 01 >/dev/null 2>&1

export OPENSSL_CONF=$dir/openssl.cnf
key='pkcs11:token=device;object=device;type=private'
"$helper" write issuer.pem "$key" > title.license
"$helper" open title.license issuers.pem "$key" | grep -q '"k":"S0VZLW9uZS0xNi1ieXRlcw"'
[ "$("$helper" store title.license issuers.pem "$key" licenses.db | grep -c '"k":"S0VZLW9uZS0xNi1ieXRlcw"')" = 2 ]
echo "a license for a key in a PKCS#11 token: ok"
