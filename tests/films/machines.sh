#!/usr/bin/env bash
# machines.sh PYTHON RECIPE OUT: a scheduler and two workers in networks of their own, which see each other by TLS; a film is
# rendered, and one worker is killed meanwhile. Runs as root of namespaces of its own, with which everything ends.
set -euo pipefail
python=$1 recipe=$2 out=$3
work=$(mktemp -d)
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
ip link set lo up
for k in 1 2; do
  ip netns add "worker$k"
  ip link add "to$k" type veth peer name here netns "worker$k"
  ip addr add "10.77.$k.1/24" dev "to$k"
  ip link set "to$k" up
  ip -n "worker$k" addr add "10.77.$k.2/24" dev here
  ip -n "worker$k" link set here up
  ip -n "worker$k" link set lo up
done

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=farm -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
tls=DASK_DISTRIBUTED__COMM__TLS
export "${tls}__CA_FILE=$work/cert.pem"
for role in CLIENT SCHEDULER WORKER; do
  export "${tls}__${role}__CERT=$work/cert.pem" "${tls}__${role}__KEY=$work/key.pem"
done

"$python" -m distributed.cli.dask_scheduler --protocol tls --port 8786 --no-dashboard 2>"$work/scheduler" &
for k in 1 2; do
  ip netns exec "worker$k" "$python" -m distributed.cli.dask_worker "tls://10.77.$k.1:8786" --protocol tls --no-nanny \
    --nthreads 1 --no-dashboard --local-directory "$work/$k" 2>"$work/worker$k" &
  workers[k]=$!
done
"$python" -m innerwalk.scenes render "$recipe" -o "$out" --scheduler tls://10.77.1.1:8786 &
sender=$!
until [ "$(find "$out" -name '0*.png' 2>/dev/null | wc -l)" -ge 5 ]; do
  kill -0 "$sender" || { cat "$work"/scheduler "$work"/worker?; exit 1; }
  sleep 0.02
done
[ "$(find "$work" -name innerwalk-files | wc -l)" = 2 ] || { echo "the workers share no work"; exit 1; }
kill -KILL "${workers[1]}"
echo "killed a worker"
wait "$sender"
