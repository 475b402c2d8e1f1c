#!/usr/bin/env bash
# Prints the folder of a Debian root with Blender 5.2, Xvfb and Monado; builds it where it isn't there yet (1.5 GB, some
# 2 minutes, from the Debian archive). Where that can't be had it says NOT RUN, and why, and ends with 77.
#
#   INNERWALK_CACHE  where it is kept, default ~/.cache/innerwalk; never in the repository
#   RIG_ROOT         a root that is there already
#   RIG_MIRROR       Debian mirror, default: mmdebstrap's own
set -euo pipefail

PACKAGES=blender,python3-numpy,python3-cattr,python3-requests # the last three: Blender only recommends them
PACKAGES+=,monado-service,libopenxr1-monado,libopenxr-loader1,libopenxr-utils
PACKAGES+=,xvfb,mesa-vulkan-drivers,libgl1-mesa-dri,libegl1,libgl1,imagemagick,ca-certificates
LOCALES=languages,de # Blender's own list of languages, and its German

not_run() {
  echo "NOT RUN: Blender in a window needs $*"
  exit 77
}

build() {
  command -v mmdebstrap >/dev/null || { apt-get update && apt-get install -y --no-install-recommends mmdebstrap; } >&2 ||
    not_run "mmdebstrap, and apt could not install it"
  echo "Building the Debian root for Blender in a window, once: $root. This downloads 400 MB." >&2
  rm -rf --one-file-system "$root.partial"
  local name locales=()
  for name in ${LOCALES//,/ }; do
    locales+=("--dpkgopt=path-include=/usr/share/locale/$name" "--dpkgopt=path-include=/usr/share/locale/$name/*")
  done
  mmdebstrap --quiet --variant=apt --mode=root \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "${locales[@]}" --dpkgopt=force-unsafe-io \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --include="$PACKAGES" sid "$root.partial" ${RIG_MIRROR:+"$RIG_MIRROR"} >&2 ||
    not_run "the Debian archive, and the root could not be built from it"
  mv "$root.partial" "$root"
}

[ "$(uname)" = Linux ] || not_run "Linux"
unshare --mount --net --pid --fork true 2>/dev/null || not_run "the rights of root: namespaces of its own, and chroot"

# Another list of packages or languages is another root.
cache=${INNERWALK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/innerwalk}
root=${RIG_ROOT:-$cache/blender-sid-$(cksum <<<"$PACKAGES $LOCALES" | cut -d' ' -f1)}
if [ ! -x "$root/usr/bin/blender" ]; then
  mkdir -p "$(dirname "$root")"
  exec 9>"$root.lock"
  flock 9 # two runs build it once
  [ -x "$root/usr/bin/blender" ] || build
fi
realpath "$root"
