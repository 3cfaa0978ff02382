# For scripts that start a server and drive it. To be sourced after $server, $client and $traffic
# are set.

. "$(dirname "${BASH_SOURCE[0]}")/../processes.sh"

explain() {
  if [ -s "$scratch/server.err" ]; then tail -n 20 "$scratch/server.err"; fi
}

serve() {
  exec "$server" --port 0 --audit "$scratch/audit.jsonl" --deadline 10 "$@" \
    >"$scratch/out" 2>"$scratch/server.err"
}

# start_server [OPTION...]: sets server_pid and port. What the server says goes on in the file
# descriptor 3.
start_server() {
  rm -f "$scratch/out"
  mkfifo "$scratch/out"
  begin serve "$@"
  server_pid=$pid
  exec 3<"$scratch/out"
  local line=""
  read -r -t 30 line <&3 || fail "the server did not start"
  echo "$line"
  port=${line##*:}
  if [[ " $* " == *" --page "* ]]; then
    read -r -t 30 line <&3 || fail "the server has no page"
    echo "$line"
    page_port=${line##*:}
    page_port=${page_port%/}
  fi
}

# Whether the server has a page about itself.
has_page() { "$server" --help | grep -q -e "--page "; }

# The page must tell of this component.
page_shows() (
  exec 5<>"/dev/tcp/127.0.0.1/$page_port"
  printf 'GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n' >&5
  timeout 30 cat <&5 | grep -q -e "\"name\":\"$1\""
)

show() { exec timeout 60 cat <&3; }

# Asks the server to stop, and shows what it says until it has.
stop_server() {
  kill -INT "$server_pid"
  begin show
  exec 3<&-
  end_of "$pid" || fail "the server did not stop"
  end_of "$server_pid" || fail "the server ended with $?"
  [ ! -s "$scratch/server.err" ] || fail "the server complained"
}

drive() {
  exec "$client" --port "$port" --traffic "$traffic" --audit "$scratch/audit.jsonl" "$@" 3<&-
}

# drive_and_stop SECONDS: once to the end of the client, once stopping the server in the middle of
# the traffic.
drive_and_stop() {
  echo "-- the server is driven for $1 s"
  local options=()
  if has_page; then options=(--page); fi
  start_server "${options[@]}"
  begin drive --seconds "$1"
  local driver=$pid
  if has_page; then until_true 30 "the page does not show the risk" page_shows risk; fi
  end_of "$driver" || fail "the client is not satisfied"
  echo "-- the server is stopped (SIGINT)"
  lines=$(wc -l <"$scratch/audit.jsonl")
  stop_server
  [ "$(wc -l <"$scratch/audit.jsonl")" -eq "$lines" ] || fail "the audit log grew after the end"

  echo "-- the server is stopped in the middle of its work, which two threads do"
  start_server --threads 2
  begin drive --through-shutdown >"$scratch/client.out" 2>&1
  driver=$pid
  begin flowing
  end_of "$pid" || true
  stop_server
  local status=0
  end_of "$driver" || status=$?
  cat "$scratch/client.out"
  [ "$status" -eq 0 ] || fail "the client is not satisfied"
}

# As soon as the traffic flows, which the client's progress shows.
flowing() {
  tail -n +1 -F "$scratch/client.out" --pid="$driver" 2>/dev/null | grep -m 1 -q "answers/s"
}
