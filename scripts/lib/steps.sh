# SPDX-License-Identifier: LGPL-2.1-or-later
# Counting for scripts/test. A step is one result; a suite and a counted
# program bring their own. Whatever cannot be counted is a failure.
# Needs $out, a directory for logs and counts.

passed=0
failed=0
skipped=0
failures=()
failed_logs=()

_add() { # NAME PASSED FAILED SKIPPED STARTED LOG [WHICH FAILED]
  passed=$((passed + $2))
  failed=$((failed + $3))
  skipped=$((skipped + $4))
  local mark=ok
  if [ "$3" -gt 0 ]; then
    mark=FAIL
    failures+=("$1")
    failed_logs+=("$6")
  fi
  printf '%-4s %4d passed %3d failed %3d skipped %4d s  %s\n' \
    "$mark" "$2" "$3" "$4" $((SECONDS - $5)) "$1${7:+: $7}"
}

_log_of() { # NAME
  echo "$out/logs/${1//[^[:alnum:]]/-}.log"
}

step() { # NAME COMMAND...
  local name=$1 started=$SECONDS log
  shift
  log=$(_log_of "$name")
  if "$@" >"$log" 2>&1 </dev/null; then
    _add "$name" 1 0 0 "$started" "$log"
  else
    _add "$name" 0 1 0 "$started" "$log"
  fi
}

# meson test, counted from its log; what it could not start is one failure.
suite() { # NAME BUILD-DIRECTORY [MESON TEST OPTION...]
  local name=$1 dir=$2
  shift 2
  suite_by "$name" "$dir/meson-logs" \
    meson test -C "$dir" --no-rebuild --print-errorlogs "$@"
}

# Likewise for a command that runs meson test somewhere and leaves its logs.
suite_by() { # NAME MESON-LOGS COMMAND...
  local name=$1 logs=$2 started=$SECONDS log status counts p f s which
  shift 2
  log=$(_log_of "$name")
  rm -f "$logs"/testlog*.json
  "$@" >"$log" 2>&1 </dev/null
  status=$?
  counts=$(python3 scripts/lib/count-tests.py "$logs" "$status" 2>>"$log") ||
    counts="0 1 0"
  read -r p f s which <<<"$counts"
  _add "$name" "$p" "$f" "$s" "$started" "$log" "$which"
}

# A program that writes "PASSED FAILED SKIPPED" to the file named --counts, and
# says of each failure "FAIL WHAT".
counted() { # NAME COMMAND... (one of whose arguments ends in .counts)
  local name=$1 started=$SECONDS log status argument file= counts
  shift
  log=$(_log_of "$name")
  for argument in "$@"; do
    [[ $argument = *.counts ]] && file=$argument
  done
  rm -f "$file"
  "$@" >"$log" 2>&1 </dev/null
  status=$?
  counts=$(cat "$file" 2>/dev/null)
  [[ $counts =~ ^[0-9]+\ [0-9]+\ [0-9]+$ ]] || counts="0 1 0"
  if [ "$status" != 0 ] && [ "$(cut -d' ' -f2 <<<"$counts")" = 0 ]; then
    counts="${counts%% *} 1 ${counts##* }"
  fi
  # shellcheck disable=SC2086  # three numbers
  _add "$name" $counts "$started" "$log" \
    "$(grep -m 3 '^FAIL ' "$log" | cut -c 6-160 | paste -sd ';')"
}

# What failed is said at the end, where nobody has to look for it.
finish() {
  local i
  for i in "${!failures[@]}"; do
    echo "failed: ${failures[i]}: ${failed_logs[i]}"
    tail -n 60 "${failed_logs[i]}"
  done
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}
