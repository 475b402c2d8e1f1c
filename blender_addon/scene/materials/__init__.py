"""Node groups, materials, raw images and colour settings that show a panel's values as colours."""
