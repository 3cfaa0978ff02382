# For scripts that start processes and must leave none behind, whatever happens. Source it; it sets
# $scratch, a folder that is removed at the end. What must be said of a failure: define `explain`.

scratch=$(mktemp -d)
running=()

clean_up() {
  if [ ${#running[@]} -gt 0 ]; then kill -KILL "${running[@]}" 2>/dev/null || true; fi
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

explain() { :; }
fail() {
  echo "FAILED: $1"
  explain
  exit 1
}

# Everything runs in the background and is waited for, so that a signal is acted upon at once.
# Sets pid.
begin() {
  "$@" &
  pid=$!
  running+=("$pid")
}

# Gives back how the process ended.
end_of() {
  local status=0 each left=()
  wait "$1" || status=$?
  for each in "${running[@]}"; do
    if [ "$each" != "$1" ]; then left+=("$each"); fi
  done
  running=("${left[@]}")
  return "$status"
}

pause() {
  begin sleep "$1"
  end_of "$pid"
}

# until_true SECONDS WHAT COMMAND...: fails with WHAT if the command does not succeed in time.
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || fail "$what"
    pause 0.05
  done
}

# --- What programs say of their options. ---

run_quietly() { exec "$@" >"$scratch/said" 2>"$scratch/refused"; }

# refuses SENTENCE PROGRAM OPTION...: the program must say the sentence, and end with 2.
refuses() {
  local sentence=$1 status=0
  shift
  begin run_quietly "$@"
  end_of "$pid" || status=$?
  [ "$status" -eq 2 ] || fail "'$*' ended with $status"
  grep -qF -e "$sentence" "$scratch/refused" || fail "'$*' said: $(cat "$scratch/refused")"
}

# helps PROGRAM OPTION: the program must list the option, and end with 0.
helps() {
  begin run_quietly "$1" --help
  end_of "$pid" || fail "'$1 --help' ended with $?"
  grep -qF -e "$2" "$scratch/said" || fail "'$1 --help' does not list $2"
}
