# For scripts that need a nats-server. Source it after processes.sh, with $nats_server set. It gets
# a free port of this machine and a store of its own, and keeps both when it is started again.

nats_port=-1

serve_nats() {
  exec "$nats_server" --addr 127.0.0.1 --port "$nats_port" --jetstream \
    --store_dir "$scratch/store" --ports_file_dir "$scratch/ports" \
    >"$scratch/nats-server.out" 2>&1
}

find_nats_port() {
  nats_port=$(sed -n 's|.*nats://127\.0\.0\.1:\([0-9]*\)".*|\1|p' "$scratch"/ports/*.ports)
  [ -n "$nats_port" ] && (exec 3<>"/dev/tcp/127.0.0.1/$nats_port")
}

# Sets nats_pid, nats_port and url.
start_nats() {
  rm -rf "$scratch/ports"
  mkdir "$scratch/ports"
  begin serve_nats
  nats_pid=$pid
  until_true 30 "nats-server did not start" find_nats_port
  url=nats://127.0.0.1:$nats_port
}

stop_nats() {
  kill -TERM "$nats_pid"
  end_of "$nats_pid" || true
}

kill_nats() {
  kill -KILL "$nats_pid"
  end_of "$nats_pid" 2>/dev/null || true
}
