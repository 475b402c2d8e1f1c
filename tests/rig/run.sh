#!/usr/bin/env bash
# Runs a session in the window of a real Blender 5.2: Debian root, Xvfb, software OpenGL; no GPU, no headset, no network.
#
#   run.sh window|vr SESSION.py INPUT OUTPUT
#
# SESSION.py is a script of steps, see session.py; INPUT is a folder it reads (the extension's zip, a .blend), OUTPUT
# one it fills: result.json, pictures, logs. Mode vr has a headset and two controllers as well, see monado_remote.py.
# Ends with Blender's code: 0 where every check held, 124 where it took too long; 77 where there is no root.
#
#   INNERWALK_PYTHON  a Python with torch, seen at the same path inside; default: the repository's .venv
#   INNERWALK_DATA    real weights and photographs, optional
#   RIG_LIMIT         seconds for Blender, default 300
#   RIG_SIZE          the window in pixels, default 1440x900
#   RIG_SCALE        in mode vr: per cent of the size of what an eye sees, default 20: there is no GPU
#   RIG_COMPOSITOR    in mode vr: null (default), or main: what both eyes see can be captured on the display HMD_DISPLAY
set -euo pipefail
here=$(dirname "$(realpath "$0")")
[ $# = 4 ] && [ -f "$2" ] && [ -d "$3" ] || { sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

root=$("$here/root.sh") || { code=$?; echo "$root" >&2; exit $code; }
mkdir -p "$root"/rig/{tools,session,in,out,data,home,cache} "$4"
INNERWALK_PYTHON=${INNERWALK_PYTHON:-$(realpath -s "$here/../../.venv/bin/python")}
export INNERWALK_PYTHON RIG_MODE=$1 RIG_LIMIT=${RIG_LIMIT:-300} RIG_SIZE=${RIG_SIZE:-1440x900}
export RIG_SESSION=/rig/session/${2##*/} RIG_COMPOSITOR=${RIG_COMPOSITOR:-null} RIG_SCALE=${RIG_SCALE:-20}
# What is shown inside, read-only: SOURCE, a tab, PLACE.
shown=$(
  printf '%s\t%s\n' "$here" /rig/tools "$(dirname "$(realpath "$2")")" /rig/session "$(realpath "$3")" /rig/in
  [ -z "${INNERWALK_DATA:-}" ] || printf '%s\t%s\n' "$(realpath "$INNERWALK_DATA")" /rig/data
  "$INNERWALK_PYTHON" "$here/python_parts.py"
)

# Mount, network and process namespaces of its own: nothing is left behind, and nobody else reaches what listens there.
root=$root shown=$shown output=$(realpath "$4") \
  exec unshare --mount --net --pid --fork --kill-child bash -euo pipefail -c '
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --bind /dev "$root/dev"
  for folder in dev/shm tmp rig/home; do mount -t tmpfs tmpfs "$root/$folder"; done
  while IFS=$(printf "\t") read -r source place; do
    if [ -d "$source" ]; then mkdir -p "$root$place"; else mkdir -p "$root${place%/*}"; touch "$root$place"; fi
    mount --bind "$source" "$root$place"
    mount -o remount,bind,ro "$root$place"
  done <<<"$shown"
  mount --bind "$output" "$root/rig/out"
  exec chroot "$root" bash /rig/tools/inside.sh'
