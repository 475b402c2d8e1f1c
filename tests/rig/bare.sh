#!/usr/bin/env bash
# Does what README promises, where it promises it: a clean clone of HEAD in a bare Debian 12 that holds what README's apt line
# names and nothing more, and there README's commands, `make demo` and `make test`, in an empty environment. Both are read
# out of README.md. Where that can't be had it says NOT RUN, and why. The root (500 MB) is built once and kept; the clone
# and what it downloads (3 GB, more where pip takes the PyTorch with GPU libraries) go when it ends.
#
#   bare.sh [COMMAND…]
#
#   COMMAND          instead of README's: each a line for the shell
#   INNERWALK_CACHE  where root and clone are kept, default ~/.cache/innerwalk; never in the repository
#   RIG_MIRROR       Debian mirror, default: mmdebstrap's own
#   PIP_…            and what pip's files on this machine say: which registries, folders and certificates it uses
set -euo pipefail
here=$(dirname "$(realpath "$0")")
repository=$(realpath "$here/../..")
readme=$(git -C "$repository" show HEAD:README.md)
packages=$(tr '\n' ' ' <<<"$readme" | sed -n 's/.*Debian 12: `apt install \([^`]*\)`.*/\1/p')
[ $# -gt 0 ] || mapfile -t promised < <(sed -n 's/^\(make [a-z]*\)  *#.*/\1/p' <<<"$readme")
[ $# -eq 0 ] || promised=("$@")
[ -n "$packages" ] && [ ${#promised[@]} -gt 0 ] || { echo "README.md names no packages or no commands" >&2; exit 1; }

not_run() {
  echo "NOT RUN: README's commands on a bare Debian 12 need $*"
  exit 0
}

build() {
  command -v mmdebstrap >/dev/null || { apt-get update && apt-get install -y --no-install-recommends mmdebstrap; } >&2 ||
    not_run "mmdebstrap, and apt could not install it"
  echo "Building the bare Debian root, once: $root. This downloads 100 MB."
  rm -rf --one-file-system "$root.partial" "$root.reached"
  mmdebstrap --quiet --variant=minbase --mode=root --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --essential-hook="touch '$root.reached'" \
    --include="$packages" bookworm "$root.partial" ${RIG_MIRROR:+"$RIG_MIRROR"} >&2 || {
    # The archive was there, so it is README's line that can't be installed.
    [ ! -e "$root.reached" ] || { echo "on a bare Debian 12 this fails: apt install $packages" >&2; exit 1; }
    not_run "the Debian archive, and the root could not be built from it"
  }
  rm "$root.reached"
  mv "$root.partial" "$root"
}

[ "$(uname)" = Linux ] || not_run "Linux"
unshare --mount --pid --fork true 2>/dev/null || not_run "the rights of root: namespaces of its own, and chroot"

# Another list of packages is another root.
cache=${INNERWALK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/innerwalk}
mkdir -p "$cache"
cache=$(realpath "$cache")
root=$cache/bare-bookworm-$(cksum <<<"$packages" | cut -d' ' -f1)
exec 9>"$root.lock"
flock 9 # two runs build it once, and one after the other use it
[ -x "$root/usr/bin/make" ] || build

work=$(mktemp -d "$cache/bare-XXXXXX")
leave() { # the kernel ends what is left in the namespace of processes
  [ -z "${inside:-}" ] || { kill -KILL "$inside" && wait "$inside"; } 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM
mkdir -p "$root/bare" "$work/home"
mkdir -m 1777 "$work/tmp"
git clone --quiet --no-hardlinks "$repository" "$work/innerwalk"
printf '%s\n' 'set -e' 'cd /bare/innerwalk' >"$work/promised"
for line in "${promised[@]}"; do
  printf 'echo "== %s"\ns=$SECONDS\n%s\necho "== %s: $((SECONDS - s)) s"\n' "$line" "$line" "$line" >>"$work/promised"
done

# What pip is told on this machine, and the files and folders that this names: shown inside at the same paths, read-only.
mapfile -t told < <(python3 "$here/pip_settings.py")
for name in OPENBLAS_CORETYPE OPENBLAS_L2_SIZE; do # for processors that numpy's OpenBLAS takes for others
  [ -z "${!name:-}" ] || told+=("$name=${!name}")
done
shown=$(
  for one in $(printf '%s ' "${told[@]#*=}") /etc/resolv.conf /etc/hosts; do
    case $one in
      file:///*/?*) one=$(dirname "${one#file://}") ;; # the pages of an index name files beside it
      file://*) one=${one#file://} ;;
    esac
    [ "${one#/}" = "$one" ] || [ ! -e "$one" ] || echo "$one"
  done | sort -u
)

# Mount and process namespaces of its own, so nothing is left behind; the network is the machine's, because pip needs it.
root=$root work=$work shown=$shown \
  unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --bind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount --bind "$work/tmp" "$root/tmp"
  mount --bind "$work" "$root/bare"
  while read -r one; do
    if [ -d "$one" ]; then mkdir -p "$root$one"; else mkdir -p "$root${one%/*}"; touch "$root$one"; fi
    mount --bind "$one" "$root$one"
    mount -o remount,bind,ro "$root$one"
  done <<<"$shown"
  exec chroot "$root" env -i --default-signal HOME=/bare/home PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
    "$@" bash /bare/promised' bare "${told[@]}" </dev/null 9>&- &
inside=$! # unshare itself hears neither Ctrl-C nor SIGTERM, so this script does
wait "$inside"
