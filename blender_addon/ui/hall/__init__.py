"""Interface of a hall: arranging, folding, ablation, comparison, colours, layers, export."""
