"""What is stored in a scene: selected channel, roles of objects, temporary data."""
