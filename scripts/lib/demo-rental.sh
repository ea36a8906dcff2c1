# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154  # scripts/demo has out, key, key_id
# The rental of scripts/demo: sourced where protected.mp4 is. Leaves rented.mp4,
# and in rental_table pairs of what was tried and what was said.

export GST_OFFLINE_LICENSE_DIR=$out/device CUSTOMER_AUTHENTICATOR=secret
rental_table=()
server=
trap '[ -z "$server" ] || kill "$server"' EXIT

# From here on the device is that one, which trusts the server's issuer.
new_device() { # NAME
  export GST_OFFLINE_LICENSE_DIR=$out/$1
  printf '\n\033[1m$ export GST_OFFLINE_LICENSE_DIR=$PWD/%s\033[0m\n' "$1"
  install -D -m 644 server/issuer.pem "$1/issuers.pem"
}

open_shop() {
  exec 3< <(exec license-server --port 0 --folder server)
  server=$!
  read -r url <&3
}

close_shop() {
  kill "$server"
  server=
}

buy() { # FILE PERIOD
  show curl -sSf "$url/token" -d customerAuthenticator=secret -d actionTokenType=1 -d errorFormat=json \
    -d "contentId=urn:marlin:kid:$key_id" -d "contentKey=$key" -d rightsType=Rental \
    --data-urlencode "rental.periodEndTime=$2" -d rental.playDuration=172800 -o "$1"
}

# What a graph says of the license.
told() { # LOG
  grep -o 'offline-license, .*' "$1" | tail -n 1
}

# A graph that has to end in an error that says WORD.
refused() { # NAME WORD COMMAND...
  local said
  announce "${@:3}"
  if "${@:3}" >refused.log 2>&1; then
    echo "It played: $1" >&2
    exit 1
  fi
  said=$(grep -m 1 '^ERROR: from' refused.log | sed 's/^ERROR: from element [^ ]*: //')
  echo "$said"
  if [[ $said != *"$2"* ]]; then
    cat refused.log >&2
    exit 1
  fi
  rental_table+=("$1" "$said")
}

echo
echo "5. Rent: tokens are bought at the example server, and licenses acquired for them; one ends at once."
open_shop
new_device device
buy title.token +2592000
show gst-launch-1.0 -q offlinelicensesrc token-location=title.token ! filesink location=title.license
new_device brief-device
buy brief.token +5
show gst-launch-1.0 -q offlinelicensesrc token-location=brief.token ! filesink location=brief.license
close_shop
sleep 5

echo
echo "6. Play with the server gone: the license is in the device's store, and a message says when it ends."
new_device device
announce gst-launch-1.0 -m filesrc location=protected.mp4 ! cencdecrypt ! filesink location=rented.mp4
gst-launch-1.0 -m filesrc location=protected.mp4 ! cencdecrypt ! filesink location=rented.mp4 >rented.log
told rented.log
rental_table+=("first play, offline" "plays until $(told rented.log | grep -o 'expiration=(datetime)[^,;]*' | cut -d')' -f2)")

echo
echo "7. What is not allowed is an error that says why: a rental that is over, a clock set ahead or back, another device's"
echo "   license, a changed one. The clock is set for one process only, by a library that is loaded before libc."
new_device brief-device
refused "a rental that is over" "ended on" \
  gst-launch-1.0 -q filesrc location=protected.mp4 ! cencdecrypt ! filesink location=over.mp4
new_device device
cc -shared -fPIC -O2 -o clock-shift.so "$root/scripts/lib/clock-shift.c"
refused "a clock past the rental's end" "first played on" \
  env LD_PRELOAD=./clock-shift.so CLOCK_SHIFT=259200 \
  gst-launch-1.0 -q filesrc location=protected.mp4 ! cencdecrypt ! filesink location=ahead.mp4
refused "a clock that was turned back" "less than it once did" \
  env LD_PRELOAD=./clock-shift.so CLOCK_SHIFT=-86400 \
  gst-launch-1.0 -q filesrc location=protected.mp4 ! cencdecrypt ! filesink location=back.mp4
new_device other-device
refused "another device's license" "was issued to device key" \
  gst-launch-1.0 -q offlinelicensesrc location=title.license ! dec.license \
  filesrc location=protected.mp4 ! cencdecrypt name=dec ! filesink location=other.mp4
new_device device
# In the signature.
{
  head -c -30 title.license
  tail -c 30 title.license | head -c 10 | tr 'A-Za-z0-9_-' 'B-ZAb-za1-90\-_'
  tail -c 20 title.license
} >changed.license
refused "a license with changed bytes" "signature" \
  gst-launch-1.0 -q offlinelicensesrc location=changed.license ! dec.license \
  filesrc location=protected.mp4 ! cencdecrypt name=dec ! filesink location=changed.mp4
