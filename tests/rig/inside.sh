#!/usr/bin/env bash
# Process 1 inside the root, called by run.sh: display, in mode vr the headset, then Blender with the session.
set -euo pipefail
export HOME=/rig/home XDG_RUNTIME_DIR=/rig/home/run LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export PATH=/usr/local/bin:/usr/bin:/bin RIG_IN=/rig/in RIG_OUT=/rig/out INNERWALK_DATA=/rig/data
export LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.json
export MESA_SHADER_CACHE_DIR=/rig/cache # kept with the root: shaders are compiled once, which takes half a minute
mkdir -m 700 "$XDG_RUNTIME_DIR"
mkdir -m 1777 /tmp/.X11-unix
cd "$HOME"

await() { # await CONDITION: up to 15 s
  for _ in $(seq 150); do
    eval "$1" && return
    sleep 0.1
  done
  echo "gave up waiting for: $1" >&2
  exit 8
}

display() { # display NUMBER SIZE
  Xvfb ":$1" -screen 0 "$2x24" -noreset -nolisten tcp >>"$RIG_OUT/xvfb.log" 2>&1 &
  await "[ -S /tmp/.X11-unix/X$1 ]"
}

headset() {
  export XR_RUNTIME_JSON=/usr/share/openxr/1/openxr_monado.json XRT_NO_STDIN=1 RIG_PORT=4242
  export OXR_VIEWPORT_SCALE_PERCENTAGE=$RIG_SCALE
  mkdir -p "$HOME/.config/monado"
  echo "{\"active\":\"remote\",\"remote\":{\"version\":0,\"port\":$RIG_PORT,\"view_count\":2}}" >"$HOME/.config/monado/config_v0.json"
  local compositor=(XRT_COMPOSITOR_NULL=1)
  if [ "$RIG_COMPOSITOR" = main ]; then
    export HMD_DISPLAY=:78
    display 78 1920x1080
    compositor=(XRT_COMPOSITOR_FORCE_XCB=1 XRT_COMPOSITOR_SCALE_PERCENTAGE=100 XRT_COMPOSITOR_DEFAULT_FRAMERATE=20)
  fi
  env "${compositor[@]}" DISPLAY="${HMD_DISPLAY:-$DISPLAY}" monado-service >"$RIG_OUT/monado.log" 2>&1 &
  await "grep -qs 'service has started' $RIG_OUT/monado.log"
}

# Loopback up: SIOCSIFFLAGS with up and running.
python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x41))'
export DISPLAY=:77
display 77 "$RIG_SIZE"
[ "$RIG_MODE" != vr ] || headset

code=0
timeout "$RIG_LIMIT" blender --factory-startup --gpu-backend opengl --enable-event-simulate \
  --window-geometry 0 0 "${RIG_SIZE%x*}" "${RIG_SIZE#*x}" \
  --python-exit-code 9 --python /rig/tools/start.py >"$RIG_OUT/blender.log" 2>&1 || code=$?
[ ! -e /tmp/blender.crash.txt ] || cp /tmp/blender.crash.txt "$RIG_OUT"
exit $code # the kernel ends what is left of this namespace of processes
