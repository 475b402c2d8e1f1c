"""The bridge as Blender sees it: threads that talk and touch none of its data, a timer that shows what they heard."""
