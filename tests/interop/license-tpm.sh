#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The device's key in a TPM 2.0 (swtpm) by tpm2-openssl: it is made there, a
# license is issued to it, opened by it, and stored; the private part never leaves.
# usage: license-tpm.sh HELPER
set -eu
helper=$(realpath "$1")
command -v swtpm >/dev/null || { echo "no swtpm: skipped"; exit 77; }
dir=$(mktemp -d)
cd "$dir"
# Below the ports that the system gives away by itself.
port=$((20000 + $$ % 6000 * 2))
swtpm socket --tpm2 --tpmstate dir="$dir" --server type=tcp,port=$port \
  --ctrl type=tcp,port=$((port + 1)) --flags not-need-init,startup-clear >swtpm.log 2>&1 &
tpm=$!
trap 'kill $tpm 2>/dev/null; rm -rf "$dir"' EXIT

# What a device has in its openssl.cnf. Without default_properties the TPM would
# be asked for every other key, too.
cat > openssl.cnf <<'CNF'
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = ?provider=default
[providers]
default = default_section
tpm2 = tpm2_section
[default_section]
activate = 1
[tpm2_section]
activate = 1
CNF
export TPM2OPENSSL_TCTI="swtpm:host=127.0.0.1,port=$port"
"$helper" keys issuer.pem issuers.pem

tries=0
until OPENSSL_CONF=$dir/openssl.cnf openssl genpkey -provider tpm2 -provider default \
  -propquery '?provider=tpm2' -algorithm EC -pkeyopt group:P-256 -out device.pem 2>openssl.log; do
  tries=$((tries + 1))
  kill -0 $tpm 2>/dev/null || { cat swtpm.log; exit 77; }
  [ $tries -lt 50 ] || { cat openssl.log; echo "no tpm2 provider: skipped"; exit 77; }
done
head -1 device.pem | grep -q 'TSS2 PRIVATE KEY'

export OPENSSL_CONF=$dir/openssl.cnf
"$helper" write issuer.pem device.pem > title.license
"$helper" open title.license issuers.pem device.pem | grep -q '"k":"S0VZLW9uZS0xNi1ieXRlcw"'
[ "$("$helper" store title.license issuers.pem device.pem licenses.db | grep -c '"k":"S0VZLW9uZS0xNi1ieXRlcw"')" = 2 ]
echo "a license for a key in a TPM: ok"
