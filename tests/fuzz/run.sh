#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Fuzzes: run.sh BUILD-DIRECTORY SECONDS TARGET... (README.md says how to build)
set -euo pipefail
build=$(realpath "$1")
seconds=$2
shift 2
cd "$(dirname "$0")"

export ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/../../scripts/lib/lsan.txt:print_suppressions=0 G_SLICE=always-malloc
# The targets use no plugins: none is to be looked for.
export GST_PLUGIN_PATH_1_0='' GST_PLUGIN_SYSTEM_PATH_1_0='' GST_REGISTRY_1_0=$build/fuzz.registry

# A file of a few pictures: NAME, and what ffmpeg does with them.
clip() { # NAME OPTION...
  local name=$1
  shift
  ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=64x64:r=25:d=0.16 -f lavfi -i sine=d=0.16 \
    -strict -2 "$@" "$seeds/$name.mp4" </dev/null || true
}

make_seeds() {
  local fragments='-movflags frag_keyframe+empty_moov+delay_moov'
  seeds=$build/seeds
  mkdir -p "$seeds"
  command -v ffmpeg >/dev/null || return 0
  # shellcheck disable=SC2086  # several words
  {
    clip last -c:v libx264 -preset ultrafast -x264-params keyint=2:slices=2 -c:a aac
    clip first -c:v libx264 -preset ultrafast -c:a libmp3lame -movflags faststart
    clip fragments -c:v libx264 -preset ultrafast -x264-params keyint=2 -c:a aac $fragments+default_base_moof
    clip mixed -c:v libx264 -preset ultrafast -x264-params keyint=2 -c:a aac -movflags frag_keyframe
    clip smooth -c:v libx264 -preset ultrafast -x264-params keyint=2 -c:a aac -f ismv
    clip index -c:v libx264 -preset ultrafast -x264-params keyint=2 -c:a aac $fragments+dash+global_sidx
    clip h265 -c:v libx265 -x265-params log-level=none -tag:v hvc1 -c:a ac3 $fragments
    clip vp9 -c:v libvpx-vp9 -b:v 30k -c:a libopus
    clip av1 -c:v libaom-av1 -cpu-used 8 -b:v 30k -c:a flac $fragments
  } 2>/dev/null
}

# What a target starts from: its corpus, and the clips as it takes them.
fill() { # TARGET
  local seed choice
  cp corpus/"$1"/* "$build/fuzzed/$1/"
  for seed in "$seeds"/*.mp4; do
    [ -s "$seed" ] || continue
    case $1 in
      isobmff | cenc) cp "$seed" "$build/fuzzed/$1/" ;;
      encrypt)
        for choice in 00 03 08 0b 10 23 28 29 2b 43 48 6b; do
          { printf "\\x$choice" && cat "$seed"; } >"$build/fuzzed/$1/$choice-${seed##*/}"
        done
        ;;
    esac
  done
}

make_seeds
for target in "$@"; do
  mkdir -p "$build/fuzzed/$target" "$build/findings/$target"
  fill "$target"
  echo "$target: $seconds s"
  nice -n 19 "$build/tests/fuzz/fuzz-$target" -max_total_time="$seconds" -max_len=16384 -timeout=25 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/findings/$target/" \
    "$build/fuzzed/$target" >"$build/findings/$target.log" 2>&1 || true
  # How much it reached, and how often it ran; or what it found.
  grep -aE 'Loaded .* modules|DONE|stat::' "$build/findings/$target.log" || true
  tail -n 20 "$build/findings/$target.log" | grep -a -A 20 -E 'ERROR|SUMMARY' || true
done
