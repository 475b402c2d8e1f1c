"""What all parts of the interface share: bases of operators and panels, previews, wrapped texts."""
