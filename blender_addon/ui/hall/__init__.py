"""Interface of a hall: panels, blocks, layers, colours, ablation, comparison, import and export."""
