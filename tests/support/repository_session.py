"""Adds a folder with an index as a repository to a clean Blender, and installs the extension from it.

Prints the results as one line of JSON that begins with FOUND.
"""

import importlib
import json
import os
import sys
from pathlib import Path

import bpy

MODULE = "bl_ext.innerwalk_dist.innerwalk"


def main(index: str) -> dict:
    bpy.context.preferences.system.use_online_access = True  # Blender wants it of every repository with an address
    repositories = bpy.context.preferences.extensions.repos
    url = Path(index).resolve().as_uri()
    repositories.new(name="Innerwalk", module="innerwalk_dist", remote_url=url).use_remote_url = True
    at = len(repositories) - 1
    bpy.ops.extensions.repo_sync(repo_index=at)
    bpy.ops.extensions.package_install(repo_index=at, pkg_id="innerwalk", enable_on_install=True)
    enabled = MODULE in bpy.context.preferences.addons
    return {
        "enabled": enabled,
        "version": importlib.import_module(f"{MODULE}.torch_bridge.version").VERSION if enabled else "",
        "opened": sorted(bpy.ops.innerwalk.open_demo()) if enabled else [],
        "panels": sum(item.get("innerwalk_role") == "panel" for item in bpy.data.objects),
    }


if __name__ == "__main__":
    print("\nFOUND " + json.dumps(main(sys.argv[1])), flush=True)
    os._exit(0)  # in Blender 4.5 the destructors of bpy now and then wait forever
